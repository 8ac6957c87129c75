// Package testorigin is the origin that load tests put behind a proxy. It has
// every object there can be: a target alone says how long the body is and what
// it holds, so that nothing is stored, any copy can be checked byte by byte,
// and what reaches the origin is counted exactly.
//
// # Targets
//
// A target of the form of trace.Object, /o/ID-SIZE, has SIZE bytes. With the
// query vary=encoding there is a gzip form as well, with vary=language one
// content for each language, with vary=encoding,language both. Any other target
// has as many bytes as the request field Bench-Size says; without one it is 404.
//
// GET /bench/counters tells what was counted, as JSON; POST /bench/reset tells
// the same and starts anew.
//
// # Scope
//
// Several ranges at once, If-Match and If-Unmodified-Since are ignored. Bodies
// of requests are read and thrown away.
package testorigin

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Options says how an origin answers. The zero value is an origin whose objects
// are fresh for an hour, and which never waits.
type Options struct {
	CacheControl string        // of answers that are not private; "" = DefaultCacheControl
	Latency      time.Duration // wait before each answer
}

// DefaultCacheControl makes objects fresh for an hour.
const DefaultCacheControl = "max-age=3600"

// Validate returns an error that names the option which is out of range.
func (o Options) Validate() error {
	if !httpguts.ValidHeaderFieldValue(o.CacheControl) {
		return fmt.Errorf("testorigin: CacheControl %q cannot be sent: leave out control characters", o.CacheControl)
	}
	if o.Latency < 0 {
		return fmt.Errorf("testorigin: Latency is %s: give 0 or more", o.Latency)
	}
	return nil
}

// Origin is the handler. All its methods may be called from any goroutine.
type Origin struct {
	options Options
	tally   tally
}

// New returns an origin, or the error of [Options.Validate].
func New(o Options) (*Origin, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.CacheControl == "" {
		o.CacheControl = DefaultCacheControl
	}
	return &Origin{options: o, tally: tally{c: newCounters()}}, nil
}

// Counters returns what was counted since the start or the last Reset. An answer
// is counted before its first byte is sent.
func (o *Origin) Counters() Counters { return o.tally.snapshot() }

// Reset starts the counters anew and returns what they had.
func (o *Origin) Reset() Counters { return o.tally.reset() }

// ServeHTTP answers a request.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o.serveControl(w, r) {
		return
	}
	if !o.wait(r) {
		panic(http.ErrAbortHandler) // nobody waits for an answer, so none is counted
	}
	if r.Method == http.MethodPost {
		_, _ = io.Copy(io.Discard, r.Body) // an answer is due whatever came of it
	}
	a := o.judge(r)
	epoch := o.tally.add(a.event)
	sent, err := a.write(w)
	if err != nil {
		o.tally.abort(epoch, a.event.body-sent)
	}
}

// wait takes the time that the options say; false when the client went away.
func (o *Origin) wait(r *http.Request) bool {
	if o.options.Latency == 0 {
		return true
	}
	timer := time.NewTimer(o.options.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// buffers hold pieces of bodies on their way out; each has room for a stored block.
var buffers = sync.Pool{New: func() any { return new([storedTop + storedMax]byte) }}

// write sends the answer and returns how many bytes of the body went out.
func (a *answer) write(w http.ResponseWriter) (int64, error) {
	a.setFields(w.Header())
	w.WriteHeader(a.event.status)
	if a.event.body == 0 {
		return 0, nil
	}
	buf := buffers.Get().(*[storedTop + storedMax]byte)
	defer buffers.Put(buf)
	out := &counted{w: w}
	if a.text != "" {
		_, err := io.WriteString(out, a.text)
		return out.n, err
	}
	if a.object.gzip {
		err := writeGzip(&section{w: out, from: a.from, to: a.to}, a.object.content, a.object.size, buf[:])
		return out.n, err
	}
	const piece = 32 << 10 // stays in the processor's nearest caches
	for at := a.from; at < a.to; {
		p := buf[:min(a.to-at, piece)]
		a.object.content.Fill(p, at)
		if _, err := out.Write(p); err != nil {
			return out.n, err
		}
		at += int64(len(p))
	}
	return out.n, nil
}

// counted counts what a writer took.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// setFields writes the fields of the answer.
func (a *answer) setFields(h http.Header) {
	values := make([]string, 0, 10) // of all fields, in one piece
	set := func(name, value string) {
		if value != "" {
			values = append(values, value)
			h[name] = values[len(values)-1 : len(values) : len(values)]
		}
	}
	set("Cache-Control", a.cacheControl)
	set("Content-Type", "application/octet-stream")
	set("Allow", a.allow)
	if a.event.status != http.StatusNotModified {
		set("Content-Length", strconv.FormatInt(a.length, 10))
	}
	if a.hasObject() {
		set("Etag", a.object.etag())
		set("Last-Modified", a.object.modified().Format(http.TimeFormat))
		set("Vary", a.object.vary)
		set("Content-Language", a.object.language)
		set("Accept-Ranges", "bytes")
		set("Content-Range", a.contentRange)
		if a.object.gzip && a.event.status != http.StatusRequestedRangeNotSatisfiable {
			set("Content-Encoding", "gzip")
		}
	}
}
