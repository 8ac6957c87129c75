package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/time/rate"

	"cacheproxy/proxy"
)

// Bounds of POST /api/refresh.
const (
	MostRefreshURLs   = 100_000
	MostRefreshRate   = 10_000 // a second
	refreshRate       = 10     // without another one
	mostRefreshBytes  = 32 << 20
	refreshesAtOnce   = 16 // of all requests together
	mostRefreshHeader = 64
)

// RefreshRequest is the body of POST /api/refresh.
type RefreshRequest struct {
	URLs        []string          `json:"urls"`         // 1 to MostRefreshURLs, as clients see them
	Rate        float64           `json:"rate"`         // how many begin in a second; 0 = 10
	OnlyMissing bool              `json:"only_missing"` // leave alone what can be served as it is stored
	Headers     map[string]string `json:"headers"`      // fields to send along
}

// RefreshLine is a line of the answer, one for each URL as it is done. A last one has
// Done, and is missing when the answer breaks off.
type RefreshLine struct {
	*proxy.RefreshResult
	Error string `json:"error,omitempty"` // why this URL cannot be refreshed
	Done  bool   `json:"done,omitempty"`
}

// check says what is wrong with a request.
func (rq *RefreshRequest) check() error {
	switch {
	case len(rq.URLs) == 0:
		return errors.New("urls is empty: name at least one URL")
	case len(rq.URLs) > MostRefreshURLs:
		return fmt.Errorf("urls has %d URLs: send at most %d at a time", len(rq.URLs), MostRefreshURLs)
	case !(rq.Rate >= 0 && rq.Rate <= MostRefreshRate) || rq.Rate > 0 && rq.Rate < 0.001:
		return fmt.Errorf("rate is %v: give a number of URLs a second from 0.001 to %d, or 0 for %d", rq.Rate, MostRefreshRate, refreshRate)
	case len(rq.Headers) > mostRefreshHeader:
		return fmt.Errorf("headers has %d fields: send at most %d", len(rq.Headers), mostRefreshHeader)
	}
	return nil
}

// refresher answers POST /api/refresh.
type refresher struct {
	refresh func(ctx context.Context, url string, header http.Header, onlyMissing bool) (proxy.RefreshResult, error)
	slots   chan struct{} // taken while a URL is being fetched
}

func newRefresher(refresh func(context.Context, string, http.Header, bool) (proxy.RefreshResult, error)) *refresher {
	return &refresher{refresh, make(chan struct{}, refreshesAtOnce)}
}

func (f *refresher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var rq RefreshRequest
	if !readJSON(w, r, mostRefreshBytes, &rq) {
		return
	}
	if err := rq.check(); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	lines := &lineWriter{w: &pacedWriter{ResponseWriter: w}, failed: cancel}
	f.all(ctx, &rq, lines)
	if ctx.Err() == nil {
		lines.write(RefreshLine{Done: true})
	}
}

// all refreshes all URLs, each in its time, and returns when they are done or ctx ends.
func (f *refresher) all(ctx context.Context, rq *RefreshRequest, lines *lineWriter) {
	header := http.Header{}
	for name, value := range rq.Headers {
		header.Set(name, value)
	}
	perSecond := rq.Rate
	if perSecond == 0 {
		perSecond = refreshRate
	}
	limit := rate.NewLimiter(rate.Limit(perSecond), 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, url := range rq.URLs {
		if limit.Wait(ctx) != nil {
			return
		}
		select {
		case f.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		wg.Go(func() {
			defer func() { <-f.slots }()
			result, err := f.refresh(ctx, url, header, rq.OnlyMissing)
			line := RefreshLine{RefreshResult: &result}
			if err != nil {
				line.Error = err.Error()
			}
			lines.write(line)
		})
	}
}

// lineWriter writes lines of JSON, each at once, so that a client can follow.
type lineWriter struct {
	mu     sync.Mutex
	w      *pacedWriter
	failed func() // when nobody reads them any more
}

func (l *lineWriter) write(v any) {
	b, err := json.Marshal(v)
	if err != nil { // nothing that is written here can fail
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(append(b, '\n')); err != nil {
		l.failed()
		return
	}
	_ = http.NewResponseController(l.w.ResponseWriter).Flush() // fails with the next write
}
