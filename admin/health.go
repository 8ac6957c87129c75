package admin

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	checkTimeout = time.Second // for all origins together: they are asked at once
	checkReuse   = time.Second // how long a verdict about the origins holds
)

// health knows whether requests should be sent to this proxy.
type health struct {
	draining func() bool
	origins  func() map[string]func(context.Context) error

	turn chan struct{} // holds one while the origins are asked, so that they are asked once
	last verdict       // guarded by turn
	at   time.Time     // of last; guarded by turn
}

type verdict struct {
	ready  bool
	reason string
	detail string // a line for each origin that failed
}

func newHealth(draining func() bool, origins func() map[string]func(context.Context) error) *health {
	if draining == nil {
		draining = func() bool { return false }
	}
	if origins == nil {
		origins = func() map[string]func(context.Context) error { return nil }
	}
	return &health{draining: draining, origins: origins, turn: make(chan struct{}, 1)}
}

// check takes checkTimeout at most.
func (h *health) check() verdict {
	if h.draining() {
		return verdict{reason: "draining: the proxy is about to stop"}
	}
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if h.at.IsZero() || time.Since(h.at) >= checkReuse {
		h.last = askOrigins(h.origins())
		h.at = time.Now()
	}
	return h.last
}

// askOrigins is content with the first origin that can be reached: with one,
// some requests can be answered. Without any to ask there is nothing to wait for.
func askOrigins(origins map[string]func(context.Context) error) verdict {
	if len(origins) == 0 {
		return verdict{ready: true, reason: "ready"}
	}
	// Not the asking request's context: the verdict is for others too.
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	type answer struct {
		name string
		err  error
	}
	answers := make(chan answer, len(origins))
	failed := make(map[string]string)
	for name, reach := range origins {
		failed[name] = fmt.Sprintf("no answer within %s", checkTimeout)
		go func() { answers <- answer{name, reach(ctx)} }()
	}
	for range origins {
		select {
		case a := <-answers:
			if a.err == nil {
				return verdict{ready: true, reason: "ready"}
			}
			if ctx.Err() == nil {
				failed[a.name] = a.err.Error()
			}
		case <-ctx.Done():
		}
	}
	var detail strings.Builder
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(&detail, "%s: %s\n", name, failed[name])
	}
	return verdict{reason: "no origin is reachable", detail: detail.String()}
}

func serveHealthz(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
}

// serveReadyz tells addresses and errors of origins only to operators.
func (h *health) serveReadyz(w http.ResponseWriter, operator bool) {
	v := h.check()
	if v.ready {
		fmt.Fprintln(w, v.reason)
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, "not ready:", v.reason)
	if operator {
		fmt.Fprint(w, v.detail)
	}
}
