package origin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// Bounds on connections of HTTP/2.
const (
	streamBuffer = 256 << 10        // bytes of a body that arrive before they are read
	pingAfter    = 15 * time.Second // without a frame on a connection with requests
	pingTime     = 15 * time.Second // for the answer
)

func (s *secure) newTransport() *http.Transport {
	t := &http.Transport{
		DialTLSContext:         s.dial2,
		ResponseHeaderTimeout:  s.limits.ResponseHeader,
		ExpectContinueTimeout:  continueWait,
		IdleConnTimeout:        s.limits.Idle,
		MaxResponseHeaderBytes: s.limits.MaxHeaderBytes,
		DisableCompression:     true, // codings are between the client and the origin
		Protocols:              new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: streamBuffer,
			SendPingTimeout:           pingAfter,
			PingTimeout:               pingTime,
			WriteByteTimeout:          s.limits.ResponseHeader,
		},
	}
	t.Protocols.SetHTTP2(true)
	return t
}

// roundTrip2 makes an exchange over HTTP/2. After errHTTP1, and errStillborn of
// the first try, the request's content is as it was.
func (s *secure) roundTrip2(r *http.Request, first bool) (*http.Response, error) {
	if err := sendable(r); err != nil {
		closeContent(r)
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	sent := r.WithContext(boundTries(ctx, cancel))
	if len(r.Header["User-Agent"]) == 0 { // none rather than the library's
		sent.Header = r.Header.Clone()
		if sent.Header == nil {
			sent.Header = make(http.Header)
		}
		sent.Header["User-Agent"] = nil
	}
	var up *content
	if hasContent(r) {
		up = newContent(r, s.limits.ResponseHeader, cancel)
		sent.Body = up
	}
	resp, err := s.two.Load().RoundTrip(sent)
	switch {
	case err == nil:
		err = sound(resp)
	case errors.Is(err, errHTTP1):
		cancel(nil)
		return nil, errHTTP1
	case first && strings.Contains(err.Error(), notEstablished):
		cancel(nil)
		return nil, errStillborn
	case strings.Contains(err.Error(), notEstablished):
		err = s.lastWords(err)
	}
	up.answered()
	if err != nil {
		err = s.why(ctx, up, err)
		if resp != nil {
			resp.Body.Close()
		}
		cancel(nil)
		return nil, err
	}
	resp.Request = r
	resp.Body = &stream{
		ReadCloser: resp.Body, target: s.target, resp: resp, ctx: ctx, cancel: cancel, up: up,
		idle: patience(resp.Header, s.limits.Body),
	}
	return resp, nil
}

// mostTries2 is how often a request is sent that the origin refuses to look at, or
// that finds its connection ended: net/http would go on for a minute.
const mostTries2 = 2

// boundTries has the exchange end when net/http sends its request too often.
func boundTries(ctx context.Context, cancel context.CancelCauseFunc) context.Context {
	var tries atomic.Int32
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if tries.Add(1) > mostTries2 {
			cancel(failed(Terminated, "the origin has refused the request %d times", mostTries2))
		}
	}})
}

// notEstablished is what net/http says of a connection that ended before its
// first request was sent.
const notEstablished = "client conn could not be established"

// lastWords returns what TLS says of the end of such a connection, if it knows
// more: it hears only after the handshake that a client certificate is not taken.
func (s *secure) lastWords(err error) error {
	c := s.last.Load()
	if c == nil {
		return err
	}
	select {
	case <-c.below.closed: // nobody else reads it any more
	case <-time.After(settle):
		return err
	}
	if _, why := c.Read(make([]byte, 1)); securing(why) != None {
		return why
	}
	return err
}

// sendable refuses what cannot be sent as HTTP/1.1 either.
func sendable(r *http.Request) error {
	o := outlines.Get().(*outline)
	defer o.free()
	if err := o.write(r); err != nil {
		return &Error{Failure: Unsendable, Err: err}
	}
	return nil
}

// sound refuses a head that net/http lets through.
func sound(resp *http.Response) error {
	if resp.StatusCode < 100 || resp.StatusCode > 999 {
		return invalid("invalid status %d", resp.StatusCode)
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"} {
		if _, ok := resp.Header[name]; ok { // RFC 9113, 8.2.2
			return invalid("the field %s is not allowed in HTTP/2", name)
		}
	}
	length, err := contentLength(resp.Header)
	if err == nil && length >= 0 && resp.ContentLength != length { // which nobody would check
		err = invalid("several values of Content-Length")
	}
	dropTrailers(resp)
	return err
}

// why finds the reason behind an error before the response head.
func (s *secure) why(ctx context.Context, up *content, err error) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if broken := up.failure(); broken != nil {
		return broken
	}
	return s.describe(err)
}

// describe words an error before the response. net/http has types for few.
func (s *secure) describe(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "timeout awaiting response headers"):
		return timedOut(Timeout, "no response head within", s.limits.ResponseHeader)
	case strings.Contains(text, "header list larger"), strings.Contains(text, "header list too large"):
		return failed(HeadTooLarge, "response head over %d bytes", s.limits.MaxHeaderBytes)
	case lost(err):
		return failed(Terminated, "connection lost before a response: %w", err)
	}
	return err
}

// lost reports whether an error is the end of a connection or stream, by the
// origin's hand or that of the network, and no breach of the protocol.
func lost(err error) bool {
	var reset http2.StreamError
	if errors.As(err, &reset) {
		return reset.Cause != nil && reset.Cause.Error() == "received from peer"
	}
	if Classify(err) == Terminated {
		return true
	}
	text := err.Error()
	for _, part := range []string{
		"server sent GOAWAY", "graceful shutdown GOAWAY", "client connection lost", "client connection force closed",
		"client conn is closed", "client conn not usable", notEstablished,
	} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
