package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"cacheproxy/bench/workload"
	"cacheproxy/revalidate"
)

// sample is what became of one request.
type sample struct {
	start, end time.Time // start is when it was due, in an open loop
	sent       time.Time
	failure    Failure
	err        error
	status     int
	bytes      int64
	result     Result
	field      string
	header     http.Header // of the response; nil without one
}

// flight is a request that is on its way. When its time is up, life ends.
type flight struct {
	life revalidate.Life
	sent time.Time
}

// sender sends requests one after the other and keeps no state between them.
type sender struct {
	client  http.RoundTripper
	target  *url.URL
	check   bool
	buf     []byte
	current atomic.Pointer[flight] // nil while none is on its way
}

// expire ends a flight that has lasted too long.
func (s *sender) expire(now time.Time, timeout time.Duration) {
	if f := s.current.Load(); f != nil && now.Sub(f.sent) >= timeout {
		f.life.Cancel()
	}
}

// abort ends the flight.
func (s *sender) abort() {
	if f := s.current.Load(); f != nil {
		f.life.Cancel()
	}
}

// do sends a request and receives all of the response. The zero time stands for
// a request that was due when it is sent.
func (s *sender) do(r *workload.Request, due time.Time) sample {
	f := &flight{sent: time.Now()}
	s.current.Store(f)
	defer s.current.Store(nil)
	out := sample{start: due, sent: f.sent}
	if due.IsZero() {
		out.start = f.sent
	}
	resp, err := s.client.RoundTrip(s.request(&f.life, r))
	if err != nil {
		out.fail(failureOf(err), err)
		return out
	}
	defer resp.Body.Close()
	out.status, out.header = resp.StatusCode, resp.Header
	out.result, out.field = classify(resp.Header)
	if s.check {
		s.receiveChecked(resp, promised(r), &out)
	} else {
		s.receive(resp, &out)
	}
	out.end = time.Now()
	return out
}

func (o *sample) fail(f Failure, err error) {
	o.end, o.failure, o.err = time.Now(), f, err
}

// request makes a request of a workload one of net/http.
func (s *sender) request(ctx context.Context, r *workload.Request) *http.Request {
	header := make(http.Header, len(r.Header))
	for _, f := range r.Header {
		header[f.Name] = append(header[f.Name], f.Value)
	}
	u := &url.URL{Scheme: s.target.Scheme, Host: s.target.Host, Opaque: r.Target}
	if strings.HasPrefix(r.Target, "//") { // which would be taken for a host
		path, query, _ := strings.Cut(r.Target, "?")
		u.Opaque, u.Path, u.RawQuery = "", path, query
	}
	host := r.Host
	if host == "" {
		host = s.target.Host
	}
	request := &http.Request{Method: r.Method, URL: u, Host: host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	return request.WithContext(ctx)
}

// receive reads the body to its end.
func (s *sender) receive(resp *http.Response, out *sample) {
	for {
		n, err := resp.Body.Read(s.buf)
		out.bytes += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			out.fail(bodyFailure(err), err)
			return
		}
	}
	if out.status >= 500 {
		out.fail(BadStatus, fmt.Errorf("status %d", out.status))
	}
}

// receiveChecked reads the body to its end and compares it with what is promised.
func (s *sender) receiveChecked(resp *http.Response, p promise, out *sample) {
	c, err := p.check(resp)
	if err != nil {
		s.receive(resp, out)
		if out.failure != none {
			return
		}
		kind := WrongContent
		if errors.Is(err, errStatus) {
			kind = BadStatus
		}
		out.fail(kind, fmt.Errorf("%s %s: status %d: %w", p.method, resp.Request.URL.RequestURI(), out.status, err))
		return
	}
	var wrong error
	for err == nil {
		var n int
		n, err = resp.Body.Read(s.buf)
		out.bytes += int64(n)
		if wrong == nil {
			wrong = c.piece(s.buf[:n])
		}
	}
	if err != io.EOF {
		out.fail(bodyFailure(err), err)
		return
	}
	if wrong == nil {
		wrong = c.end(out.bytes)
	}
	if wrong != nil {
		out.fail(WrongContent, fmt.Errorf("%s %s: %w", p.method, resp.Request.URL.RequestURI(), wrong))
	}
}
