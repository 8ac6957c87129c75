package revalidate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
)

// TestHistories runs random histories of requests and purges of all kinds: of whole
// responses, parts, variants, validations, answers of origins that fail, all of it
// overlapping. Whatever happens: what was asked for before a hard mark that hits it
// is not served to who asks after it, what a soft one hits is not served as fresh,
// what is not hit stays, and in the end no mark is in force and nothing dead is in
// memory.
func TestHistories(t *testing.T) {
	var seen came
	for seed := range uint64(histories) {
		synctest.Test(t, func(t *testing.T) { runHistory(t, seed, &seen) })
		if t.Failed() {
			return
		}
	}
	t.Logf("%+v", &seen)
	for what, n := range map[string]int{
		"answers": seen.answers, "stand-ins": seen.standIns, "confirmations": seen.confirmed, "parts": seen.parts,
		"hits of hard marks": seen.hard, "hits of soft marks": seen.soft, "entries that no mark hit": seen.spared,
		"purges amid flights": seen.amid, "fresh entries": seen.fresh,
	} {
		require.Greater(t, n, histories/50, what)
	}
}

// came is what the histories came to, so that none of it is missing.
type came struct {
	answers, standIns, confirmed, parts, hard, soft, spared, amid, fresh int
}

// history is an origin that knows what it said, a fetcher, and what was purged.
type history struct {
	*testing.T
	f    *Fetcher
	seen *came

	mu      sync.Mutex // of all below; clients and flights run beside the history
	rng     *rand.Rand
	said    []*said
	version map[string]int
	purges  []setMark
	banned  map[string]int // content that is dead, of one exchange or of several joined: by which purge
	clients sync.WaitGroup
	events  []string // told when it fails
}

// tell notes an event. The caller holds the lock.
func (h *history) tell(format string, args ...any) {
	h.events = append(h.events, fmt.Sprintf("%v: ", time.Since(h.f.base))+fmt.Sprintf(format, args...))
}

// said is one exchange. Content is made of the number of its exchange, so that it is
// known whatever becomes of it.
type said struct {
	number      int
	key         string
	tags, group []string
	visible     bool // it was seen in the store
}

// setMark is a mark, and how many exchanges had begun when it was to be set. Those
// that began while it was may count as before or after.
type setMark struct {
	purge.Mark
	began int
}

func runHistory(t *testing.T, seed uint64, seen *came) {
	engine := cache.Engines()[seed%2]
	if seed%10 > 1 {
		engine = cache.GDSF // takes less time to begin
	}
	store, err := cache.New[Kept](cache.Options{MaxCost: 1 << 20, Engine: engine})
	require.NoError(t, err)
	h := &history{
		T: t, seen: seen, rng: rand.New(rand.NewPCG(seed, 1)), banned: map[string]int{}, version: map[string]int{},
		f: New(Options{Store: store, MaxObject: 1 << 20, MaxVariants: 4}),
	}
	for range 12 + h.roll(12) {
		switch {
		case h.roll(4) > 0:
			h.ask()
		default:
			h.purge()
		}
		if h.roll(3) > 0 {
			time.Sleep(time.Duration(h.roll(400)) * time.Millisecond)
		}
		h.look()
		if t.Failed() {
			t.Logf("seed %d, which need not come out alike:\n%s", seed, strings.Join(h.events, "\n"))
			break
		}
	}
	h.clients.Wait()
	time.Sleep(2 * finishAlone)
	synctest.Wait()
	if !t.Failed() {
		h.look()
		h.wantClean()
	}
	h.f.Close()
	require.NoError(t, store.Close())
}

func (h *history) roll(n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rng.IntN(n)
}

func (h *history) pick(of ...string) string { return of[h.roll(len(of))] }

var (
	historyHosts = []string{"a.test", "b.test"}
	historyPaths = []string{"/x/1", "/x/2", "/y/1"}
)

// URL is a part of an origin.
func (h *history) URL() *url.URL { return originURL }

// RoundTrip answers in one of many ways, some time later.
func (h *history) RoundTrip(r *http.Request) (*http.Response, error) {
	key := "http://" + r.Host + r.URL.Path
	h.mu.Lock()
	n := len(h.said)
	s := &said{number: n, key: key}
	h.tell("exchange %d: %s %s, range %q, if-none-match %s", n, r.Method, key, r.Header.Get("Range"), r.Header.Get("If-None-Match"))
	h.said = append(h.said, s)
	if h.rng.IntN(4) == 0 {
		h.version[key]++
	}
	tag := fmt.Sprintf(`"%d"`, h.version[key])
	header := http.Header{"Cache-Control": {fmt.Sprintf("max-age=%d, stale-if-error=%d", 1+h.rng.IntN(2), 2*h.rng.IntN(2))}, "Etag": {tag}, "State": {strconv.Itoa(n)}}
	status := http.StatusOK
	if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), tag) {
		status = http.StatusNotModified
	}
	if status == http.StatusOK || h.rng.IntN(2) == 0 {
		for _, tag := range []string{"t", "u"} {
			if h.rng.IntN(3) == 0 {
				s.tags = append(s.tags, tag)
				header.Add("Cache-Tag", tag)
			}
		}
		if h.rng.IntN(3) == 0 {
			s.group = []string{"t"}
			header.Set("Cache-Groups", `"t"`)
		}
	}
	if r.URL.Path == "/y/1" {
		header.Set("Vary", "Tongue")
	}
	fails := h.rng.IntN(12) == 0
	slow := time.Duration(h.rng.IntN(4)*h.rng.IntN(200)) * time.Millisecond
	h.tell("exchange %d: %d, etag %s, tags %v, groups %v, in %v, fails %v", n, status, tag, s.tags, s.group, slow, fails)
	h.mu.Unlock()
	if err := pause(r.Context(), slow); err != nil {
		return nil, err
	}
	if fails {
		return nil, errNoRoute
	}
	half := fmt.Sprintf("%08d", n)
	text := half + half
	switch span := r.Header.Get("Range"); {
	case status == http.StatusNotModified:
		text = ""
	case span == "bytes=0-7" && header.Get("Vary") == "":
		status, text = http.StatusPartialContent, half
		header.Set("Content-Range", "bytes 0-7/16")
	case (span == "bytes=8-" || span == "bytes=8-15") && header.Get("Vary") == "":
		status, text = http.StatusPartialContent, half
		header.Set("Content-Range", "bytes 8-15/16")
	}
	body := &slowText{ctx: r.Context(), text: text, slow: slow / 2}
	return &http.Response{StatusCode: status, Header: header, Body: body, ContentLength: int64(len(text)), Request: r, Trailer: http.Header{}}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slowText is content that takes its time between its halves.
type slowText struct {
	ctx  context.Context
	text string
	slow time.Duration
}

func (s *slowText) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	if err := pause(s.ctx, s.slow); err != nil {
		return 0, err
	}
	n := copy(p, s.text[:min(8, len(s.text))])
	s.text = s.text[n:]
	return n, nil
}

func (s *slowText) Close() error { return nil }

// ask makes a request as the proxy would.
func (h *history) ask() {
	host, path := h.pick(historyHosts...), h.pick(historyPaths...)
	fields := http.Header{"Tongue": {h.pick("de", "en")}}
	switch h.roll(6) {
	case 0:
		fields.Set("Range", h.pick("bytes=0-7", "bytes=8-15"))
	case 1:
		fields.Set("Cache-Control", "no-cache")
	}
	asked := len(h.purges)
	target := &url.URL{Scheme: "http", Host: host, Path: path}
	facts := policy.NewRequest(http.MethodGet, fields)
	if h.roll(12) == 0 {
		facts = policy.NewRequest(http.MethodHead, fields)
	}
	rules := policy.DefaultRules()
	j := &Job{
		Key: policy.Key(target), Target: target, Facts: facts, Origin: h, Alone: facts.Directives.Newer(),
		Request: &http.Request{Method: facts.Method, URL: &url.URL{Scheme: "http", Host: "origin.test", Path: path}, Header: fields.Clone(), Host: host},
		Arrived: func(*http.Response) *policy.Rules { return &rules },
	}
	var stored []*policy.Stored
	j.Resource, stored = h.f.Lookup(j.Key)
	j.Decision = policy.Judge(facts, stored, time.Now())
	between := time.Duration(h.roll(4)/3*h.roll(300)) * time.Millisecond // until its flight begins
	h.clients.Go(func() {
		time.Sleep(between)
		switch j.Decision.Action {
		case policy.Serve, policy.ServeStale: // what may be served is judged by look
			if j.Decision.Refresh || h.roll(6) == 0 {
				h.f.Refresh(j)
			}
			return
		}
		h.fetch(j, asked)
	})
}

// fetch asks the fetcher, and holds what comes to what was purged before.
func (h *history) fetch(j *Job, asked int) {
	a, err := h.f.Do(h.Context(), j)
	switch {
	case err != nil:
		h.mu.Lock()
		now := len(h.purges)
		h.mu.Unlock()
		if e := j.StandIn(time.Now()); e != nil {
			h.served("stands in", content(e.Body), now)
			h.note(&h.seen.standIns)
		}
	case a.Entry != nil:
		h.served("answers", content(a.Entry.Body), asked)
		if a.FwdStatus == http.StatusNotModified {
			h.note(&h.seen.confirmed)
		}
		h.note(&h.seen.answers)
	default:
		defer a.Body.Close()
		var got []byte
		for {
			b, err := a.Body.Next(h.Context())
			got = append(got, b...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
		}
		h.served("is passed on", string(got), asked)
		h.note(&h.seen.answers)
	}
}

func (h *history) note(n *int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*n++
}

// exchanges returns the numbers of the exchanges that content is made of.
func exchanges(text string) (all []int) {
	for ; len(text) >= 8; text = text[8:] {
		n, _ := strconv.Atoi(text[:8])
		all = append(all, n)
	}
	return all
}

// served holds content to the purges that were over when it was asked for.
func (h *history) served(how, text string, asked int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if by, dead := h.isDead(exchanges(text)); dead && by < asked {
		h.Errorf("%s %s, which purge %d has hit: %+v", text, how, by, h.purges[by])
	}
}

// isDead reports whether content is dead, and by which purge: its parts are, or it is
// as a whole, since it had tags that a part has not.
func (h *history) isDead(made []int) (by int, dead bool) {
	for _, n := range made {
		if by, dead = h.banned[fmt.Sprint(n)]; dead {
			return by, true
		}
	}
	by, dead = h.banned[fmt.Sprint(made)]
	return by, dead
}

// seenEntry is an entry of the store.
type seenEntry struct {
	key    string
	made   []int
	state  *said // whose fields it has
	stored policy.Stored
	busy   bool // a flight is under way that may change it
}

func (e seenEntry) String() string {
	return fmt.Sprintf("%s of %v and %d, tags %q, for %v", e.key, e.made, e.state.number, e.stored.Tags, e.stored.VaryValues)
}

// all looks up everything there may be.
func (h *history) all() (all []seenEntry) {
	for _, host := range historyHosts {
		for _, path := range historyPaths {
			key := "http://" + host + path
			r, _ := h.f.Lookup(key)
			h.f.mu.Lock()
			busy := h.f.active[key] != nil
			h.f.mu.Unlock()
			for _, e := range r.entries() {
				s := seenEntry{key: key, made: exchanges(content(e.Body)), stored: *e.Stored, busy: busy}
				for name, value := range e.Fields.All() {
					if name == "State" {
						n, _ := strconv.Atoi(value)
						s.state = h.said[n]
					}
				}
				for _, n := range s.made {
					h.said[n].visible = true
				}
				all = append(all, s)
			}
		}
	}
	return all
}

// isHit reports whether a mark means an entry with such a key, tags and groups. It
// knows nothing of how marks are looked up.
func isHit(m *purge.Mark, key string, tags, groups []string) bool {
	u, _ := url.Parse(key)
	switch m.Kind {
	case purge.URL:
		return m.Value == key
	case purge.Tag:
		return slices.Contains(tags, m.Value)
	case purge.Group:
		return m.Origin == "http://"+u.Host && slices.Contains(groups, m.Value)
	case purge.Host:
		return m.Value == u.Host
	case purge.Prefix:
		return strings.HasPrefix(u.Host+u.Path, m.Value)
	case purge.Glob:
		return strings.HasSuffix(u.Path, strings.TrimPrefix(m.Value, "*"))
	}
	return true
}

func split(s *policy.Stored) (tags, groups []string) {
	s.EachTag(func(name string, isGroup bool) bool {
		if isGroup {
			groups = append(groups, name)
		} else {
			tags = append(tags, name)
		}
		return true
	})
	return tags, groups
}

func (e *seenEntry) isHit(m *purge.Mark) bool {
	tags, groups := split(&e.stored)
	return isHit(m, e.key, tags, groups)
}

// look holds all that is stored to all that was purged.
func (h *history) look() {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.all() {
		fresh := e.stored.Age(now) < e.stored.Lifetime && !e.stored.NoCache
		if fresh {
			h.seen.fresh++
		}
		if len(e.made) > 1 && e.made[0] != e.made[1] {
			h.seen.parts++
		}
		if by, dead := h.isDead(e.made); dead {
			h.Errorf("%v, which purge %d has hit: %+v", e, by, h.purges[by])
		}
		for i := range h.purges {
			m := &h.purges[i]
			if e.state.number < m.began && e.isHit(&m.Mark) && (fresh || !m.Soft) {
				h.Errorf("%s, whose state is of exchange %d, is fresh after purge %d: %+v", e.key, e.state.number, i, *m)
			}
		}
	}
}

func (h *history) mark() (m purge.Mark) {
	m = purge.Mark{Soft: h.roll(3) == 0}
	host := h.pick(historyHosts...)
	switch m.Kind = purge.Kind(h.roll(7)); m.Kind {
	case purge.URL:
		m.Value = "http://" + host + h.pick(historyPaths...)
	case purge.Tag:
		m.Value = h.pick("t", "u")
	case purge.Group:
		m.Value, m.Origin = "t", "http://"+host
	case purge.Host:
		m.Value = host
	case purge.Prefix:
		m.Value = host + h.pick("/x/", "/y/", "/")
	case purge.Glob:
		m.Value = h.pick("*/1", "*/2")
	}
	return m
}

// purge purges, and notes what is dead from then on.
func (h *history) purge() {
	for i := range h.roll(8) / 7 * 12 { // so many that the marks are in several runs
		h.f.Purge(tag(fmt.Sprint("none ", i)), nil)
	}
	m := h.mark()
	calm := h.roll(2) == 0
	if calm {
		synctest.Wait() // nothing comes at the same instant
	}
	h.mu.Lock()
	before := h.all()
	flying, began := h.f.Stats().Running, len(h.said)
	h.tell("purge %d: %+v; flights: %d; there is %v", len(h.purges), m, flying, before)
	h.mu.Unlock()
	purged := h.f.Purge([]purge.Mark{m}, nil)
	h.mu.Lock()
	defer h.mu.Unlock()
	if flying > 0 {
		h.seen.amid++
	}
	number := len(h.purges)
	h.purges = append(h.purges, setMark{m, began})
	kept := map[int]bool{}
	hits := 0
	for _, e := range before {
		if e.isHit(&m) {
			hits++
			continue
		}
		if !e.busy {
			h.seen.spared++
			h.wantSpared(&e, began, number)
		}
		for _, n := range e.made {
			kept[n] = true
		}
	}
	if m.Soft {
		h.seen.soft += hits
	} else {
		h.seen.hard += hits
		h.ban(&m, began, number, before, kept)
	}
	if calm && flying == 0 {
		h.mu.Unlock()
		n, complete := purged.Wait(h.Context())
		h.mu.Lock()
		if len(h.said) == began && (!complete || n[0] != int64(hits)) { // nothing has come in between
			h.Errorf("purge %d hit %d entries, and counts %d (complete: %v): %+v", number, hits, n[0], complete, m)
		}
	}
}

// wantSpared holds an entry that a purge did not hit to be there, unless a flight has
// begun meanwhile that may have changed it.
func (h *history) wantSpared(e *seenEntry, began, number int) {
	_, stored := h.f.Lookup(e.key)
	there := slices.ContainsFunc(stored, func(s *policy.Stored) bool { return policy.SameVariant(s, &e.stored) })
	if !there && !slices.ContainsFunc(h.said[began:], func(s *said) bool { return s.key == e.key }) {
		h.Errorf("%s is gone with purge %d, which does not hit it: %+v", e.key, number, h.purges[number])
	}
}

// ban notes the content that nobody may get any more: what was in the store and was
// hit, and what was on its way. With tags it depends on what a response was joined
// with whether it is hit; then the parts are not dead by themselves.
func (h *history) ban(m *purge.Mark, began, number int, before []seenEntry, kept map[int]bool) {
	ban := func(what any) {
		if _, dead := h.banned[fmt.Sprint(what)]; !dead {
			h.banned[fmt.Sprint(what)] = number
		}
	}
	for _, e := range before {
		switch {
		case !e.isHit(m):
		case m.Kind == purge.Tag || m.Kind == purge.Group:
			ban(e.made)
		default:
			for _, n := range e.made {
				ban(n)
			}
		}
	}
	for n, s := range h.said[:began] {
		if !s.visible && !kept[n] && isHit(m, s.key, s.tags, s.group) {
			ban(n)
		}
	}
}

// wantClean holds what is left to what is alive.
func (h *history) wantClean() {
	require.Nil(h, h.f.marks.Load().set, "marks end")
	require.Same(h, h.f.cohorts.oldest, h.f.cohorts.newest)
	require.Zero(h, h.f.cohorts.newest.flights)
	require.False(h, h.f.purges.sweeping)
	h.f.store.Range(func(key string, k Kept, _ int64) bool {
		for _, e := range h.f.read(k).Entries {
			_, dead := h.isDead(exchanges(content(e.Body)))
			require.False(h, dead, "%s is in memory, though it is dead", key)
		}
		return true
	})
}
