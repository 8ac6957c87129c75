package testorigin

import (
	"maps"
	"sync"
)

// Counters is what the origin was asked and what it sent since it started or
// was reset. Requests below /bench/ are not in it.
type Counters struct {
	Requests int64 `json:"requests"`
	// BodyBytes are those of the bodies, after encoding, without what was left
	// unsent when a client went away.
	BodyBytes int64            `json:"body_bytes"`
	Methods   map[string]int64 `json:"methods"` // requests by method; "other" for all that is none of GET, HEAD, POST
	Statuses  map[int]int64    `json:"statuses"`

	// Kinds of requests; one may be of several.
	Conditional int64 `json:"conditional"` // had If-None-Match or If-Modified-Since
	Range       int64 `json:"range"`       // had Range
	Gzip        int64 `json:"gzip"`        // were for a gzip form
	Language    int64 `json:"language"`    // were for an object that varies by language
	NoStore     int64 `json:"no_store"`    // were private, POST or refused, and so answered with no-store
	Aborted     int64 `json:"aborted"`     // did not get their whole body
}

func newCounters() Counters {
	return Counters{Methods: make(map[string]int64), Statuses: make(map[int]int64)}
}

// event is one answer to be counted.
type event struct {
	method                                    string
	status                                    int
	body                                      int64
	conditional, rng, gzip, language, noStore bool
}

// tally counts answers. An answer is counted before its first byte is sent: who
// has received it finds it counted, and a reset cuts between answers.
type tally struct {
	mu    sync.Mutex
	c     Counters
	epoch int // counts resets
}

func (t *tally) add(e event) (epoch int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.c.Requests++
	t.c.BodyBytes += e.body
	t.c.Methods[e.method]++
	t.c.Statuses[e.status]++
	for _, kind := range [...]struct {
		is bool
		n  *int64
	}{
		{e.conditional, &t.c.Conditional}, {e.rng, &t.c.Range}, {e.gzip, &t.c.Gzip},
		{e.language, &t.c.Language}, {e.noStore, &t.c.NoStore},
	} {
		if kind.is {
			*kind.n++
		}
	}
	return t.epoch
}

// abort takes back what was not sent of an answer that was counted in epoch.
func (t *tally) abort(epoch int, unsent int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch == epoch {
		t.c.BodyBytes -= unsent
		t.c.Aborted++
	}
}

func (t *tally) snapshot() Counters {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.c
	c.Methods, c.Statuses = maps.Clone(c.Methods), maps.Clone(c.Statuses)
	return c
}

// reset returns what was counted and starts anew.
func (t *tally) reset() Counters {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.c
	t.c = newCounters()
	t.epoch++
	return c
}
