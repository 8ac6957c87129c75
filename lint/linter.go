package lint

import (
	"cmp"
	"hash/maphash"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// MostFindings is how many findings are kept: one for each route, kind and detail.
// Beyond that the one that was seen longest ago goes.
const MostFindings = 512

// Finding is what was found about the responses of a route.
type Finding struct {
	Route   string    `json:"route"`
	Kind    Kind      `json:"kind"`
	Detail  string    `json:"detail,omitempty"` // the field, parameter, member or pair at fault
	Text    string    `json:"text"`             // what it means, and what to do
	Count   int64     `json:"count"`            // responses that show it
	Misses  int64     `json:"misses"`           // of those, for what had been asked for shortly before: its cost, if it has any
	Most    int       `json:"most,omitempty"`   // values seen of one URL or path, about
	Example string    `json:"example"`          // a URL
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

type findingKey struct {
	route, detail string
	kind          Kind
}

// Linter collects findings. Its methods may be called at the same time.
type Linter struct {
	mu       sync.Mutex
	seed     maphash.Seed
	findings map[findingKey]*Finding
	seen     [seenSlots]uint64 // hashes of URLs that were asked for
	urls     [urlSlots]urlTrack
	paths    [pathSlots]pathTrack
}

// Sizes of the tables.
const (
	seenSlots = 1 << 15
	urlSlots  = 1 << 12
	pathSlots = 1 << 11
)

// New returns a linter that has seen nothing.
func New() *Linter {
	return &Linter{seed: maphash.MakeSeed(), findings: make(map[findingKey]*Finding)}
}

// Observe looks at a response of an origin, and keeps nothing of it.
func (l *Linter) Observe(r *Response) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Status == http.StatusNotModified {
		return
	}
	issues := Check(r)
	path := maphash.String(l.seed, r.Host+r.Path)
	url := maphash.String(l.seed, r.Host+r.Path+"?"+r.Query)
	l.mu.Lock()
	defer l.mu.Unlock()
	slot := &l.seen[url%seenSlots]
	again := *slot == url
	*slot = url
	for _, i := range issues {
		l.note(r, i, again && i.costsHits(), 0)
	}
	if r.Status == http.StatusOK {
		l.trackURL(r, url)
		l.trackPath(r, path)
	}
}

// note counts a finding.
func (l *Linter) note(r *Response, i Issue, miss bool, most int) {
	key := findingKey{short(r.Route, mostText), short(i.Detail, mostText), i.Kind}
	f := l.findings[key]
	if f == nil {
		if len(l.findings) >= MostFindings {
			l.forgetOldest()
		}
		key.route, key.detail = clip(key.route), clip(key.detail)
		f = &Finding{Route: key.route, Kind: i.Kind, Detail: key.detail, Text: i.Kind.Text(), Example: r.url(), First: r.Received}
		l.findings[key] = f
	}
	f.Count++
	f.Last = r.Received
	if miss {
		f.Misses++
	}
	if most > f.Most {
		f.Most, f.Example = most, r.url()
	}
}

func (l *Linter) forgetOldest() {
	var oldest findingKey
	var last time.Time
	for key, f := range l.findings {
		if last.IsZero() || f.Last.Before(last) {
			oldest, last = key, f.Last
		}
	}
	delete(l.findings, oldest)
}

// Findings returns what was found, first what costs the most misses, then what is
// seen most.
func (l *Linter) Findings() []Finding {
	l.mu.Lock()
	all := make([]Finding, 0, len(l.findings))
	for _, f := range l.findings {
		all = append(all, *f)
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Misses, a.Misses), cmp.Compare(b.Count, a.Count), strings.Compare(a.Route, b.Route),
			strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Detail, b.Detail))
	})
	return all
}

// Reset forgets all that was found and seen.
func (l *Linter) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.findings)
	clear(l.seen[:])
	clear(l.urls[:])
	clear(l.paths[:])
}
