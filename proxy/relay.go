package proxy

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// relay passes on a response as it arrives. With ours set, the request went
// without the client's conditions, so they are evaluated here.
func (x *exchange) relay(a *revalidate.Answer, ours bool) {
	defer a.Body.Close()
	h := x.adopt(a.Header)
	if a.Collapsed { // for this client it is a response from store
		x.setAge(a.Facts.Age(time.Now()))
	}
	status, skip, send := a.Status, int64(0), int64(-1)
	if ours && x.facts.Demanding() {
		facts := policy.Describe(a.Status, a.Header)
		if policy.NotModified(x.facts, facts) {
			x.writeNotModified()
			return
		}
		if part, ok := x.onePart(facts, a); ok {
			x.traceParts(a.Length, part)
			status, skip, send = http.StatusPartialContent, part.First, part.Len()
			h["Content-Range"] = []string{part.ContentRange(a.Length)}
			h["Content-Length"] = []string{strconv.FormatInt(send, 10)}
		}
	}
	x.head(status)
	if x.r.Method == http.MethodHead {
		return
	}
	x.stream(a, skip, send)
	if a.Stored && send < 0 {
		if why := a.Late(); why != policy.ReasonNone {
			x.o.Stored, x.o.Refused = false, why
			x.o.Trace.Decide(policy.StepNotStored, why)
		}
	}
}

// broke notes that the origin's body broke off, if it did: the client may have
// left, or broken off its own.
func (x *exchange) broke(err error) {
	if x.r.Context().Err() != nil {
		return
	}
	x.o.Stored, x.o.Refused = false, policy.Incomplete
	x.o.Trace.Decide(policy.StepNotStored, policy.Incomplete)
	if x.content.fault() == policy.ReasonNone {
		x.o.Error = revalidate.ErrorType(err)
	}
}

// adopt makes a header that of the response, and returns it. Our own server takes
// the map as it is.
func (x *exchange) adopt(from http.Header) http.Header {
	if own, ok := x.w.(interface{ AdoptHeader(http.Header) bool }); ok && own.AdoptHeader(from) {
		return from
	}
	h := x.w.Header()
	for name, lines := range from {
		h[name] = with(h[name], lines)
	}
	return h
}

// onePart cuts a single range out of a whole response, which an origin that
// does not know ranges sends.
func (x *exchange) onePart(facts *policy.Stored, a *revalidate.Answer) (policy.ByteRange, bool) {
	if x.facts.Range == "" || a.Status != http.StatusOK || a.Length < 0 {
		return policy.ByteRange{}, false
	}
	selection, parts := facts.Select(x.facts, a.Length)
	if selection != policy.Parts || len(parts) != 1 {
		return policy.ByteRange{}, false
	}
	return parts[0], true
}

// stream copies the body without the first skip bytes; send is how many are
// wanted, -1 for all. What the origin sends slowly is passed on at once.
func (x *exchange) stream(a *revalidate.Answer, skip, send int64) {
	if send < 0 && x.splice(a) {
		return
	}
	x.small = a.Length >= 0 && a.Length <= slice && a.Body.More()
	if body, ok := a.Body.(interface{ Held() int64 }); ok && !x.small {
		x.holds(body.Held)
	}
	if send != 0 && a.Length != 0 && !a.Body.More() { // the head does not wait for the content
		x.finish(x.flush())
	}
	for send != 0 {
		b, err := a.Body.Next(x.r.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			x.broke(err)
			_ = x.flush() // what did arrive
		}
		x.finish(err)
		if n := min(skip, int64(len(b))); n > 0 {
			b, skip = b[n:], skip-n
		}
		if send >= 0 {
			b = b[:min(send, int64(len(b)))]
			send -= int64(len(b))
		}
		if len(b) == 0 {
			continue
		}
		x.finish(x.write(b))
		if !a.Body.More() {
			x.finish(x.flush())
		}
	}
	if !x.small {
		x.deadline() // for what is left to be sent
	}
	if len(a.Trailer()) > 0 {
		_ = x.flush() // so that the content is in chunks, without which there is no trailer
	}
	for name, lines := range a.Trailer() {
		for _, line := range lines {
			x.w.Header().Add(http.TrailerPrefix+name, line)
		}
	}
}
