package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// warmers is how many objects are asked for at a time when a cache is filled.
const warmers = 8

// newClient makes a client that asks peers and the origin, and trusts the certificate of the run.
func newClient(certFile string) (*http.Client, error) {
	pem, err := os.ReadFile(certFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", certFile)
	}
	return &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: warmers,
			DisableCompression:  true,
			TLSClientConfig:     &tls.Config{RootCAs: roots},
		},
	}, nil
}

// fetch gets a URL and holds its content against what the origin has.
func fetch(ctx context.Context, c *http.Client, url string, want []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", url, err)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: status %d", url, resp.StatusCode)
	case !bytes.Equal(got, want):
		return fmt.Errorf("%s: %d bytes of content, not the %d of the origin", url, len(got), len(want))
	}
	return nil
}

// warm gets the first n objects of a scenario once each.
func warm(ctx context.Context, c *http.Client, s scenario, base string, n int) error {
	want := content(objects[s.kind].size)
	errs := make([]error, warmers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for errs[i] == nil {
				k := int(next.Add(1))
				if k > n {
					return
				}
				errs[i] = fetch(ctx, c, base+s.path(k), want)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// originCounts asks the origin what it saw, until nothing is on its way to it
// any more: a second at most.
func originCounts(ctx context.Context, c *http.Client, base string) (map[string]counts, error) {
	var last map[string]counts
	for range 50 {
		seen, err := originStats(ctx, c, base)
		if err != nil {
			return nil, err
		}
		if last != nil && maps.Equal(seen, last) {
			break
		}
		last = seen
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return last, nil
}

func originStats(ctx context.Context, c *http.Client, base string) (map[string]counts, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/_stats", nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var seen map[string]counts
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	return seen, nil
}
