package revalidate

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cacheproxy/policy"
)

// Origin is where requests are sent; package origin has the real one.
type Origin interface {
	URL() *url.URL // the base: scheme and host
	RoundTrip(*http.Request) (*http.Response, error)
}

// Job is a request for which the origin must be asked.
type Job struct {
	Key      string          // of the resource
	Target   *url.URL        // as the client sees it
	Facts    *policy.Request // of the client's request
	Request  *http.Request   // to send; its header is the fetcher's, which sets conditions and ranges in it
	Origin   Origin
	Resource *Resource       // what was found in the store, or nil
	Decision policy.Decision // what was decided about it

	// Alone keeps the job out of flights that began before it: the client
	// asked for a newer answer than those may bring.
	Alone bool

	// Anew asks for the whole response even where what is stored could be validated.
	Anew bool

	// Arrived is called with every response head, before it is judged: it edits
	// the header as configured and returns the rules for the response.
	Arrived func(*http.Response) *policy.Rules

	// Interim is called with every 1xx response. It may be nil.
	Interim func(status int, h http.Header)

	// Began is called when a flight of the job's own begins, and what it returns when that
	// has ended, which may be long after its client has left. Both must be quick. It may be nil.
	Began func() (ended func())

	vary []string // fields to collapse by, learned from a flight that did not match
}

// Answer is what a client gets after the origin was asked.
type Answer struct {
	FwdStatus  int                  // the origin's status
	Target     string               // the server that answered; empty when the store had the answer meanwhile
	Entry      *Entry               // to serve from, after validation or completion; otherwise:
	Status     int                  // of the response to pass on
	Header     http.Header          // of it, without hop-by-hop fields; the receiver may change it
	Length     int64                // of its content, -1 when not known
	Body       Source               // must be closed
	Trailer    func() http.Header   // after the end of Body
	Facts      *policy.Stored       // what judgements know of it when it is stored
	Stored     bool                 // it is stored, or will be when it is complete
	Refused    policy.Reason        // otherwise why not
	Collapsed  bool                 // another client's flight brought it
	Late       func() policy.Reason // after the end of Body: why it was not stored after all
	OriginTime time.Duration        // from the request sent to the response head

	// Traceparent is the field of that name in the request that started the flight
	// (W3C Trace Context); empty without.
	Traceparent string
}

// Source is a body to read: chunks that are valid until the next call.
type Source interface {
	// Next returns the next bytes, io.EOF after a complete body, or why it
	// broke off.
	Next(ctx context.Context) ([]byte, error)
	// More reports whether Next would return without waiting, if known.
	More() bool
	Close()
}

// arrived lets the client's side see and edit a response head, then dates it if
// the origin did not (RFC 9110, 6.6.1).
func (j *Job) arrived(resp *http.Response, t policy.Times) *policy.Rules {
	rules := j.Arrived(resp)
	if resp.Header.Get("Date") == "" {
		resp.Header["Date"] = []string{t.Received.UTC().Format(http.TimeFormat)}
	}
	return rules
}

// flightID names what a job wants: jobs with equal IDs may share a flight.
func (j *Job) flightID() string {
	var b strings.Builder
	b.WriteString(j.Facts.Method)
	b.WriteByte(' ')
	b.WriteString(j.kind())
	if j.Facts.Range != "" {
		b.WriteByte('\x00')
		b.WriteString(j.Facts.Range)
		for _, line := range j.Facts.Fields.Values("If-Range") {
			b.WriteByte('\x01')
			b.WriteString(line)
		}
	}
	names := j.vary
	if names == nil {
		names = j.Resource.newestVary()
	}
	for _, v := range policy.VaryValues(names, j.Facts.Fields) {
		b.WriteByte('\x02')
		b.WriteString(v)
	}
	return b.String()
}

// authorized marks requests with credentials: whether their answers can be
// shared is another question than for all others.
const authorized = "\x00authorized"

// kind names the requests whose answers are shared alike.
func (j *Job) kind() string {
	if j.Facts.Authorized {
		return j.Key + authorized
	}
	return j.Key
}

// newestVary returns the Vary of the response that was received last.
func (r *Resource) newestVary() []string {
	var newest *policy.Stored
	for _, s := range r.judged() {
		if newest == nil || s.Received.After(newest.Received) {
			newest = s
		}
	}
	if newest == nil {
		return nil
	}
	return newest.Vary
}

// selected returns the entry that the decision rests on, or nil.
func (j *Job) selected() *Entry {
	if j.Resource == nil || j.Decision.Index < 0 {
		return nil
	}
	return j.Resource.Entries[j.Decision.Index]
}

// StandIn returns the entry that may answer after the origin failed, or nil.
func (j *Job) StandIn(now time.Time) *Entry {
	e := j.selected()
	if e == nil || j.Decision.Reason == policy.PartialMiss || !policy.OnError(j.Facts, e.Stored, now) || !j.Resource.holds(j.Key, e) {
		return nil
	}
	return e
}
