package testorigin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Paths that an origin tells its counters at.
const (
	countersPath = "/bench/counters"
	resetPath    = "/bench/reset"
)

// serveControl answers what is not a request for an object; false when it is one.
func (o *Origin) serveControl(w http.ResponseWriter, r *http.Request) bool {
	var c Counters
	switch {
	case r.URL.Path == countersPath && r.Method == http.MethodGet:
		c = o.Counters()
	case r.URL.Path == resetPath && r.Method == http.MethodPost:
		c = o.Reset()
	default:
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c) // fails when the client has gone
	return true
}

// RemoteCounters asks the origin at url, scheme and host, for its counters.
func RemoteCounters(ctx context.Context, url string) (Counters, error) {
	return ask(ctx, http.MethodGet, url, countersPath)
}

// RemoteReset starts the counters of the origin at url anew and returns what
// they had.
func RemoteReset(ctx context.Context, url string) (Counters, error) {
	return ask(ctx, http.MethodPost, url, resetPath)
}

func ask(ctx context.Context, method, url, path string) (Counters, error) {
	var c Counters
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(url, "/")+path, nil)
	if err != nil {
		return c, fmt.Errorf("counters of the origin: %w", err)
	}
	r.Close = true // one question in a while
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return c, fmt.Errorf("counters of the origin: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return c, fmt.Errorf("counters of the origin: %s %s: status %d; is this the built-in origin?", method, r.URL, res.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&c); err != nil {
		return c, fmt.Errorf("counters of the origin: %s: %w; is this the built-in origin?", r.URL, err)
	}
	return c, nil
}
