package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// health is what the checks of a target have found. The mutex of the target guards
// it.
type health struct {
	down bool
	row  int // checks in a row that speak against that
}

// startChecks starts the checks, spread over the interval.
func (u *Upstream) startChecks() {
	for i, t := range u.targets {
		first := u.o.Health.Interval * time.Duration(i) / time.Duration(len(u.targets))
		u.background(func() { t.checks(first) })
	}
}

func (t *target) checks(first time.Duration) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-t.u.ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(t.u.o.Health.Interval)
		err := t.check(t.u.o.Health)
		if t.u.ctx.Err() != nil {
			return
		}
		t.checked(err)
	}
}

// check asks once. It takes no slot and is no trial: it tells whether the target is
// up, not whether it has time.
func (t *target) check(h *Health) error {
	ctx, cancel := context.WithTimeout(t.u.ctx, h.Timeout)
	defer cancel()
	where, err := url.ParseRequestURI(h.Path)
	if err != nil {
		return err
	}
	where.Scheme, where.Host = t.base.Scheme, t.base.Host
	r := (&http.Request{
		Method: http.MethodGet, URL: where, Host: h.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"User-Agent": {"cacheproxy-health"}, "Accept": {"*/*"}},
	}).WithContext(ctx)
	resp, err := t.origin.RoundTrip(r)
	if err != nil {
		return err
	}
	discard(resp)
	if !slices.ContainsFunc(h.Statuses, func(s Statuses) bool { return s.First <= resp.StatusCode && resp.StatusCode <= s.Last }) {
		return fmt.Errorf("%s: health check answered with status %d", t.url, resp.StatusCode)
	}
	return nil
}

// checked counts a check, and turns the target's health when enough in a row say so.
func (t *target) checked(err error) {
	if err != nil {
		t.counts.checksFailed.Add(1)
	}
	t.change(func(time.Duration) {
		h, enough := &t.health, t.u.o.Health.Fall
		if err != nil {
			t.lastErr = err.Error()
		}
		if h.down {
			enough = t.u.o.Health.Rise
		}
		if h.down == (err != nil) {
			h.row = 0
			return
		}
		if h.row++; h.row >= enough {
			h.down, h.row = !h.down, 0
		}
	})
}
