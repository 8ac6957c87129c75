package workload

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/trace"
)

// Trace is the requests of a trace or access log, in order. It is not safe for
// concurrent use.
type Trace struct {
	requests []traced
	objects  []tracedObject
	next     int
	loop     bool
	leftOut  int
}

// traced is a request, in the little room that there is when a log has millions.
type traced struct {
	object int32
	head   bool
}

// tracedObject is a host and target of a trace.
type tracedObject struct {
	request Request // its GET
	whole   bool    // the size is that of a whole answer to GET
	private bool
}

// learn takes in what a line says of the object.
func (o *tracedObject) learn(line trace.Request) {
	o.private = o.private || line.Private
	whole := line.Method == http.MethodGet && (line.Status == 0 || line.Status == http.StatusOK)
	switch {
	case whole && !o.whole:
		o.whole = true
		o.request.Size = line.Size
	case whole == o.whole:
		o.request.Size = max(o.request.Size, line.Size)
	}
}

// reader is what yields the lines, such as a trace.Reader.
type reader interface {
	Next() (trace.Request, error) // io.EOF at the end
}

// FromTrace reads all requests and returns them as a workload; with loop it
// starts over at their end. It takes about 300 bytes of memory for each object,
// 8 for each request.
//
// An object keeps one size: the largest that was logged for a whole answer to
// GET, else for any. Left out, and counted, are requests that are not GET or
// HEAD, those whose answer was an error other than 404 and 410, and targets that
// a proxy may spell in another way. It is an error when nothing is left.
func FromTrace(r reader, loop bool) (*Trace, error) {
	t := &Trace{loop: loop}
	known := make(map[[2]string]int32) // by host and target
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("workload: %w", err)
		}
		if !replayed(line) {
			t.leftOut++
			continue
		}
		key := [2]string{line.Host, line.Target}
		i, ok := known[key]
		if !ok {
			if len(t.objects) == math.MaxInt32 {
				return nil, fmt.Errorf("workload: the trace has more than %d objects; use a part of it", math.MaxInt32)
			}
			i = int32(len(t.objects))
			key = [2]string{strings.Clone(line.Host), strings.Clone(line.Target)}
			known[key] = i
			t.objects = append(t.objects, tracedObject{request: Request{Method: http.MethodGet, Host: key[0], Target: key[1]}})
		}
		t.objects[i].learn(line)
		t.requests = append(t.requests, traced{i, line.Method == http.MethodHead})
	}
	if len(t.requests) == 0 {
		return nil, fmt.Errorf("workload: the trace has no request that can be sent again (%d left out)", t.leftOut)
	}
	for i := range t.objects {
		t.objects[i].complete()
	}
	return t, nil
}

// replayed reports whether a line is sent again.
func replayed(line trace.Request) bool {
	switch line.Method {
	case http.MethodGet, http.MethodHead:
	default:
		return false
	}
	if line.Status >= 400 && line.Status != http.StatusNotFound && line.Status != http.StatusGone {
		return false
	}
	u, err := url.ParseRequestURI(line.Target)
	return err == nil && strings.HasPrefix(line.Target, "/") && u.Host == "" && u.RequestURI() == line.Target &&
		strings.TrimSuffix(path.Clean(u.Path), "/") == strings.TrimSuffix(u.Path, "/")
}

// complete sets what the built-in origin has to know.
func (o *tracedObject) complete() {
	r := &o.request
	path, _, _ := strings.Cut(r.Target, "?") // the origin takes the size from the path, whatever the query
	if _, size, ok := trace.ParseObject(path); ok {
		r.Size = size
	} else {
		r.Header = append(r.Header, Field{testorigin.SizeField, strconv.FormatInt(r.Size, 10)})
	}
	if r.Host != "" {
		r.Header = append(r.Header, Field{testorigin.HostField, r.Host})
	}
	if o.private {
		r.Header = append(r.Header, Field{testorigin.PrivateField, "1"})
	}
	r.Object = testorigin.Identify(r.Host, r.Target, "")
}

// Next returns the next request; false at the end, unless the trace loops.
func (t *Trace) Next() (Request, bool) {
	if t.next == len(t.requests) {
		if !t.loop {
			return Request{}, false
		}
		t.next = 0
	}
	line := t.requests[t.next]
	t.next++
	r := t.objects[line.object].request
	if line.head {
		r.Method = http.MethodHead
	}
	return r, true
}

// Plain takes away what only the built-in origin understands. Call it before the
// first Next when the requests are for an origin that knows nothing of it.
func (t *Trace) Plain() {
	for i := range t.objects {
		t.objects[i].request.Header = nil
	}
}

// Len is the number of requests.
func (t *Trace) Len() int { return len(t.requests) }

// Objects is the number of different pairs of host and target.
func (t *Trace) Objects() int { return len(t.objects) }

// Footprint is the sum of the sizes of all objects, in bytes.
func (t *Trace) Footprint() int64 {
	total := int64(0)
	for _, o := range t.objects {
		total += o.request.Size
	}
	return total
}

// LeftOut is the number of requests that are not sent; see FromTrace.
func (t *Trace) LeftOut() int { return t.leftOut }
