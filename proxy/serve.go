package proxy

import (
	"net/http"
	"strconv"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// serveEntry answers from a stored response (RFC 9111, 4; RFC 9110, 13.2.2:
// conditions first, then ranges).
func (x *exchange) serveEntry(e *revalidate.Entry, now time.Time) {
	e.Touch(now)
	h := x.adopt(e.Fields.Header())
	age := e.Age(now)
	x.setAge(age)
	x.o.HasTTL, x.o.TTL = true, e.Lifetime-age
	if policy.NotModified(x.facts, e.Stored) {
		x.writeNotModified()
		return
	}
	selection, parts := e.Select(x.facts, e.Length())
	switch {
	case selection == policy.Unsatisfiable:
		x.writeUnsatisfiable(e.Length())
	case selection == policy.Parts && len(parts) == 1:
		x.traceParts(e.Length(), parts...)
		h["Content-Range"] = []string{parts[0].ContentRange(e.Length())}
		x.writePart(e, http.StatusPartialContent, parts[0])
	case selection == policy.Parts:
		x.traceParts(e.Length(), parts...)
		x.writeParts(e, parts)
	default:
		x.writePart(e, e.Status, policy.ByteRange{First: 0, Last: e.Body.Size() - 1})
	}
}

// setAge says how old a response from store is (RFC 9111, 5.1).
func (x *exchange) setAge(age time.Duration) {
	x.w.Header()["Age"] = []string{strconv.FormatInt(int64(age/time.Second), 10)}
}

// head completes the header of a response and sends it.
func (x *exchange) head(status int) {
	h := x.w.Header()
	x.o.Status = status
	x.closing()
	x.deadline()
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // none rather than a guess
	}
	x.own = [3]string{"1.1 " + x.c.Token, x.o.RequestID, x.o.cacheStatus(x.c)}
	h["Via"] = with(h["Via"], x.own[0:1:1])
	h["X-Request-Id"] = x.own[1:2:2]
	h["Cache-Status"] = with(h["Cache-Status"], x.own[2:3:3])
	if x.c.XCacheStatus {
		h["X-Cache-Status"] = []string{x.o.CacheResult()}
	}
	if x.c.ServerTiming {
		h["Server-Timing"] = with(h["Server-Timing"], []string{x.o.serverTiming(time.Now())})
	}
	if x.o.Trace != nil {
		x.traceAnswer(h)
	}
	x.w.WriteHeader(status)
}

// with returns lines and one more.
func with(lines, more []string) []string {
	if len(lines) == 0 {
		return more
	}
	return append(lines, more...)
}

// writeNotModified answers 304: without the fields that describe content which
// is not sent (RFC 9110, 15.4.5).
func (x *exchange) writeNotModified() {
	x.o.Trace.Note(policy.StepConditionMet)
	h := x.w.Header()
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding", "Content-Language", "Content-Range"} {
		h.Del(name)
	}
	x.head(http.StatusNotModified)
}

// writeUnsatisfiable answers 416 (RFC 9110, 15.5.17).
func (x *exchange) writeUnsatisfiable(length int64) {
	h := x.w.Header()
	for _, name := range []string{"Content-Type", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(name)
	}
	if length >= 0 {
		h["Content-Range"] = []string{"bytes */" + strconv.FormatInt(length, 10)}
	}
	h["Content-Length"] = []string{"0"}
	x.o.Reason = policy.RangeNotSatisfiable
	x.traceParts(length)
	x.head(http.StatusRequestedRangeNotSatisfiable)
}

// writePart sends one run of bytes of an entry.
func (x *exchange) writePart(e *revalidate.Entry, status int, part policy.ByteRange) {
	h := x.w.Header()
	if e.Method == http.MethodGet && status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.FormatInt(part.Len(), 10)}
	}
	x.head(status)
	if x.r.Method == http.MethodHead || part.Len() == 0 {
		return
	}
	if x.small = part.Len() <= slice; !x.small {
		x.holds(e.Body.Size)
	}
	x.finish(e.Part(part, x.sendStored))
}

// sendStored writes bytes from the store.
func (x *exchange) sendStored(b []byte) error {
	sent := x.o.Bytes
	err := x.write(b)
	x.o.FromCache += x.o.Bytes - sent
	return err
}
