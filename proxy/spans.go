package proxy

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// Spans is the place of a request in a distributed trace (W3C Trace Context), and
// when its steps were.
type Spans struct {
	ID      [16]byte // of the trace
	Parent  [8]byte  // the client's span; zero: the trace begins here
	Span    [8]byte  // the request's own
	Sampled bool     // its spans are wanted
	State   string   // tracestate; empty when there is none

	Lookup Step    // in the store
	Flight Step    // from boarding a flight to what came of it
	Board  [8]byte // the span of Flight; zero without
	Shared string  // traceparent of the flight of another request that brought the answer; empty otherwise
}

// Step is when a step was; zero when there was none.
type Step struct{ Begin, End time.Time }

// measure begins a step; what it returns ends it.
func (s *Step) measure() (end func()) {
	s.Begin = time.Now()
	return func() { s.End = time.Now() }
}

// place gives a request its place in a trace.
func (c *Config) place(f policy.Fields, trusted bool) Spans {
	return c.Place(only(f.Values("Traceparent")), strings.Join(f.Values("Tracestate"), ","), trusted)
}

// sampled is place for an answer from the store, of which nothing is passed on:
// nil unless its span is wanted.
func (c *Config) sampled(h *Head) *Spans {
	if t := c.place(h, c.trusts(h.Remote)); t.Sampled {
		wanted := t // only this one is allocated
		return &wanted
	}
	return nil
}

// board begins the flight, whose span is from now on the parent of what is sent.
func (t *Spans) board() {
	if t == nil {
		return
	}
	for i, n := 0, rand.Uint64()|1; i < len(t.Board); i++ { // zero is no span
		t.Board[i] = byte(n >> (8 * i))
	}
	t.Flight.Begin = time.Now()
}

// land ends the flight with its answer, nil for none.
func (t *Spans) land(a *revalidate.Answer) {
	if t == nil {
		return
	}
	t.Flight.End = time.Now()
	if a != nil && a.Collapsed {
		t.Shared = a.Traceparent
	}
}

// tell sets the fields of a request to the origin.
func (t *Spans) tell(h http.Header) {
	if t == nil {
		return
	}
	parent, flags := t.Board, "-00"
	if parent == ([8]byte{}) {
		parent = t.Span
	}
	if t.Sampled {
		flags = "-01"
	}
	b := append(make([]byte, 0, 55), "00-"...)
	b = append(hex.AppendEncode(b, t.ID[:]), '-')
	b = append(hex.AppendEncode(b, parent[:]), flags...)
	h["Traceparent"] = []string{string(b)}
	delete(h, "Tracestate")
	if t.State != "" {
		h["Tracestate"] = []string{t.State}
	}
}
