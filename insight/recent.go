package insight

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

const (
	recentRoom    = 1000 // requests that each of the two rings holds
	hitsASecond   = 20   // hits that are kept in each second
	othersASecond = 100  // and others; as many again of those that went wrong
	recentText    = 2048 // bytes of all texts of one request
)

// Request is one of the recent ones.
type Request struct {
	ID        string    `json:"id"` // for /api/requests/ID; counts up
	RequestID string    `json:"request_id"`
	Time      time.Time `json:"time"` // when it began
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	URI       string    `json:"uri"`
	Proto     string    `json:"proto"`
	Remote    string    `json:"remote"`
	Route     string    `json:"route"`
	Target    string    `json:"target"` // the server that was asked
	Error     string    `json:"error"`  // how the origin failed (RFC 9209, 2.3)
	Key       string    `json:"key"`

	Status      int      `json:"status"`
	FwdStatus   int      `json:"fwd_status"` // of the origin; 0 if it did not answer this request
	Action      string   `json:"action"`
	Reason      string   `json:"reason"`
	Text        string   `json:"reason_text"`
	Clause      string   `json:"reason_clause"`
	Refused     string   `json:"refused"` // why the response was not stored, if it was not
	RefusedText string   `json:"refused_text"`
	Stored      bool     `json:"stored"`
	Collapsed   bool     `json:"collapsed"`
	Aborted     bool     `json:"aborted"`
	TTL         *float64 `json:"ttl_s"` // of the stored response; null without
	Bytes       int64    `json:"bytes"`
	FromCache   int64    `json:"bytes_cache"`
	Duration    float64  `json:"duration_ms"`
	Origin      float64  `json:"origin_ms"`
}

// Filter chooses among the recent requests; what is empty fits all.
type Filter struct {
	Reason string // the reason, or why the response was not stored
	Status string // a code, or a class as 5xx
	Host   string // with its port or without, and without regard to case
	Text   string // part of the URL, request ID or address, without regard to case
	Limit  int    // most requests; at least 1
}

// recent are two rings, so that what went right does not push out what went
// wrong. In each second the first so many of each kind are kept: all while it
// is quiet. A request in a ring is written over, so nothing is allocated.
type recent struct {
	mu    sync.Mutex
	last  uint64
	rings [2]struct {
		kept []kept
		next int
	}
	left [3]int // of this second: hits, others, and what went wrong
}

// kept is an outcome with its texts one after the other.
type kept struct {
	id    uint64
	o     proxy.Outcome // without texts
	texts []byte
	ends  [9]int
}

// refill begins a new second.
func (r *recent) refill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = [3]int{hitsASecond, othersASecond, othersASecond}
}

// wrong reports whether somebody may want to know what happened.
func wrong(o *proxy.Outcome) bool {
	return o.Status >= 500 || o.Status == 0 || o.Aborted || o.Error != "" || asked(o) && down(o)
}

func (r *recent) add(o *proxy.Outcome) {
	ring, kind := &r.rings[0], 1
	switch {
	case wrong(o):
		ring, kind = &r.rings[1], 2
	case served(o):
		kind = 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	if r.left[kind] == 0 && o.Trace == nil {
		return
	}
	r.left[kind] = max(0, r.left[kind]-1)
	if len(ring.kept) < recentRoom {
		ring.kept = append(ring.kept, kept{})
	}
	ring.kept[ring.next].set(r.last, o)
	ring.next = (ring.next + 1) % recentRoom
}

func (k *kept) set(id uint64, o *proxy.Outcome) {
	k.id, k.o, k.texts = id, *o, k.texts[:0]
	for i, text := range k.fields() {
		// The longest ones come last, so that they are what is cut.
		k.texts = append(k.texts, (*text)[:min(len(*text), recentText-len(k.texts))]...)
		k.ends[i] = len(k.texts)
		*text = ""
	}
	k.o.Referer, k.o.UserAgent = "", ""
	k.o.Trace, k.o.Spans = nil, nil // a trace is large, and kept by who has room for it
}

func (k *kept) fields() [9]*string {
	o := &k.o
	return [...]*string{&o.Method, &o.Proto, &o.Remote, &o.RequestID, &o.Route, &o.Target, &o.Host, &o.URI, &o.Key}
}

// outcome gives the texts back.
func (k kept) outcome() (uint64, proxy.Outcome) {
	all, from := string(k.texts), 0
	for i, text := range k.fields() {
		*text = all[from:k.ends[i]]
		from = k.ends[i]
	}
	return k.id, k.o
}

// Requests returns the recent requests that fit, newest first. There are up to
// 1,000 of those that went well, and up to 1,000 of those that went wrong (5xx,
// broken off, or the origin failed). Of hits at most 20 are kept in each second,
// of others 100, and of what went wrong 100; beyond that those that were traced.
func (in *Insight) Requests(f Filter) []Request {
	found := []Request{}
	in.recent.each(func(id uint64, o *proxy.Outcome) {
		if f.fits(o) {
			found = append(found, request(id, o))
		}
	})
	slices.SortFunc(found, func(a, b Request) int { return strings.Compare(b.ID, a.ID) })
	return found[:min(max(f.Limit, 1), len(found))]
}

// Request returns one of the recent requests, by its ID or its RequestID.
func (in *Insight) Request(id string) (one Request, ok bool) {
	in.recent.each(func(n uint64, o *proxy.Outcome) {
		if !ok && (requestNumber(n) == id || o.RequestID != "" && o.RequestID == id) {
			one, ok = request(n, o), true
		}
	})
	return one, ok
}

func (r *recent) each(fn func(id uint64, o *proxy.Outcome)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.rings {
		for _, k := range r.rings[i].kept {
			id, o := k.outcome()
			fn(id, &o)
		}
	}
}

// requestNumber has as many digits as sorting needs.
func requestNumber(n uint64) string {
	s := strconv.FormatUint(n, 10)
	return "000000000000"[:max(12-len(s), 0)] + s
}

func (f *Filter) fits(o *proxy.Outcome) bool {
	isRefused := o.Refused != policy.ReasonNone && f.Reason == o.Refused.String()
	if f.Reason != "" && f.Reason != o.Reason.String() && !isRefused {
		return false
	}
	if f.Status != "" && f.Status != strconv.Itoa(o.Status) && f.Status != classes[class(o.Status)] {
		return false
	}
	if f.Host != "" && !strings.EqualFold(f.Host, o.Host) && !strings.EqualFold(f.Host, withoutPort(o.Host)) {
		return false
	}
	text := strings.ToLower(f.Text)
	return text == "" || strings.Contains(strings.ToLower(o.Host+o.URI), text) ||
		strings.Contains(strings.ToLower(o.RequestID), text) || strings.Contains(strings.ToLower(o.Remote), text)
}

// withoutPort leaves the brackets of an IPv6 address.
func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

func request(id uint64, o *proxy.Outcome) Request {
	r := Request{
		ID: requestNumber(id), RequestID: o.RequestID, Time: o.Start, Method: o.Method, Host: o.Host, URI: o.URI,
		Proto: o.Proto, Remote: o.Remote, Route: o.Route, Target: o.Target, Error: o.Error, Key: o.Key,
		Status: o.Status, FwdStatus: o.FwdStatus, Action: o.Action.String(),
		Reason: o.Reason.String(), Text: o.Reason.Info().Text, Clause: o.Reason.Info().Clause,
		Stored: o.Stored, Collapsed: o.Collapsed, Aborted: o.Aborted,
		Bytes: o.Bytes, FromCache: o.FromCache, Duration: millis(o.Duration), Origin: millis(o.OriginTime),
	}
	if o.Refused != policy.ReasonNone {
		r.Refused, r.RefusedText = o.Refused.String(), o.Refused.Info().Text
	}
	if o.HasTTL {
		ttl := o.TTL.Seconds()
		r.TTL = &ttl
	}
	return r
}
