package origin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

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
// body, which is the connection; an event stream may be silent for any time.
func (o *Origin) watch(resp *http.Response, cancel context.CancelFunc) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	w := &watchedBody{ReadCloser: resp.Body, cancel: cancel, idle: o.body}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		w.idle = 0
	}
	resp.Body = w
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
