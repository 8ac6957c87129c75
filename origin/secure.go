package origin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// secure is the way to an origin of scheme https: net/http, which knows TLS and
// HTTP/2.
type secure struct {
	transport *http.Transport
	body      time.Duration
}

func newSecure(o Options) *secure {
	return &secure{body: o.Body, transport: &http.Transport{
		DialContext:            o.Dial,
		TLSHandshakeTimeout:    o.Connect,
		ResponseHeaderTimeout:  o.ResponseHeader,
		ExpectContinueTimeout:  continueWait,
		IdleConnTimeout:        o.Idle,
		MaxIdleConns:           o.MaxIdle,
		MaxIdleConnsPerHost:    o.MaxIdle,
		MaxResponseHeaderBytes: o.MaxHeaderBytes,
		DisableCompression:     true, // codings are between the client and the origin
		ForceAttemptHTTP2:      true,
		ReadBufferSize:         32 << 10,
	}}
}

func (s *secure) roundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	resp, err := s.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	s.watch(resp, cancel)
	return resp, nil
}

// watchedBody is a response body that gives up on an origin which sends
// nothing for too long, and that ends the exchange when it is closed.
type watchedBody struct {
	io.ReadCloser
	cancel  context.CancelFunc
	idle    time.Duration // 0 = wait for ever
	expired atomic.Bool
	timer   *time.Timer
}

// watch puts a response under watch. One that switches protocols keeps its
// body, which is the connection.
func (s *secure) watch(resp *http.Response, cancel context.CancelFunc) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	resp.Body = &watchedBody{ReadCloser: resp.Body, cancel: cancel, idle: patience(resp.Header, s.body)}
}

func (w *watchedBody) Read(p []byte) (int, error) {
	if w.idle == 0 {
		return w.ReadCloser.Read(p)
	}
	if w.timer == nil {
		w.timer = time.AfterFunc(w.idle, w.expire)
	} else {
		w.timer.Reset(w.idle)
	}
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	if err != nil && w.expired.Load() {
		err = fmt.Errorf("no byte of the body for %s: %w", w.idle, os.ErrDeadlineExceeded)
	}
	return n, err
}

// expire ends the exchange, and with it a read that waits.
func (w *watchedBody) expire() {
	w.expired.Store(true)
	w.cancel()
}

func (w *watchedBody) Close() error {
	err := w.ReadCloser.Close()
	w.cancel()
	return err
}
