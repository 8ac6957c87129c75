package main

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"cacheproxy/config"
	"cacheproxy/origin"
	"cacheproxy/origin/upstream"
)

// origins are the upstreams in use, by all that they were made of, so that a reload
// keeps the connections and the state of those that stay as they are.
type origins map[string]*upstream.Upstream

// upstream returns what a route names: one of old where it is the same.
func (w *wiring) upstream(c config.Config, name string, old origins) (*upstream.Upstream, error) {
	key := originKey(c, name)
	u := w.origins[key]
	if u == nil {
		u = old[key]
	}
	if u == nil {
		var err error
		if u, err = w.newUpstream(c, c.Upstream(name)); err != nil {
			return nil, err
		}
	}
	w.origins[key] = u
	return u, nil
}

// originKey spells out all that an upstream is made of.
func originKey(c config.Config, name string) string {
	of, t, l := c.Upstream(name), c.Timeouts, c.Limits
	t.ReadHeader, t.ReadBody, t.Write = 0, 0, 0 // those are for clients
	return fmt.Sprintf("%+v %v %v %v %v %v %v %+v %+v %s", spelled(of), t, l.TargetRequests, l.Queue, l.QueueTime, l.Adaptive,
		c.RetryRows(), c.Retry, c.Breaker, stamp(of.TLS.CA, of.TLS.Cert, of.TLS.Key))
}

// spelled is an upstream without pointers.
func spelled(u config.Upstream) any {
	return struct {
		config.Upstream
		HTTP2, Verify bool
	}{
		config.Upstream{Name: u.Name, Targets: u.Targets, Balance: u.Balance, Health: u.Health, TLS: config.OriginTLS{
			ServerName: u.TLS.ServerName, CA: u.TLS.CA, Cert: u.TLS.Cert, Key: u.TLS.Key,
		}},
		isTrue(u.HTTP2), isTrue(u.TLS.Verify),
	}
}

// isTrue holds for what is not said, too.
func isTrue(b *bool) bool { return b == nil || *b }

// stamp tells apart files that were changed: connections made with what was in them end
// with a reload, and not only by themselves.
func stamp(files ...string) (s string) {
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			s += fmt.Sprint(info.ModTime().UnixNano(), info.Size(), " ")
		}
	}
	return s
}

func originOptions(t config.Timeouts, of config.Upstream, log *slog.Logger) (origin.Options, error) {
	o := origin.Options{
		Connect:        time.Duration(t.Connect),
		ResponseHeader: time.Duration(t.ResponseHeader),
		Body:           time.Duration(t.ResponseBody),
		Total:          time.Duration(t.Exchange),
		Idle:           time.Duration(t.Idle),
		HTTP1Only:      !isTrue(of.HTTP2),
	}
	var err error
	if o.TLS, err = originTLS(of.TLS, log.With("upstream", of.Name)); err != nil {
		return o, fmt.Errorf("upstream %q: %w", of.Name, err)
	}
	return o, nil
}

// originTLS returns what gives the configuration for a handshake; nil where nothing is
// said about it.
func originTLS(t config.OriginTLS, log *slog.Logger) (func() *tls.Config, error) {
	if t == (config.OriginTLS{}) {
		return nil, nil
	}
	return origin.LoadTLS(origin.TLSFiles{
		ServerName: t.ServerName, CA: t.CA, Cert: t.Cert, Key: t.Key, SkipVerify: !isTrue(t.Verify),
	}, log)
}

func (w *wiring) newUpstream(c config.Config, of config.Upstream) (*upstream.Upstream, error) {
	server, err := originOptions(c.Timeouts, of, w.log)
	if err != nil {
		return nil, err
	}
	l := c.Limits
	o := upstream.Options{
		Name: of.Name, Origin: server, Balance: balances[cmp.Or(of.Balance, "round_robin")],
		MaxRequests: orNone(l.TargetRequests), FixedLimit: !l.Adaptive,
		Queue: orNone(l.Queue), QueueTime: time.Duration(l.QueueTime),
		Ejection: upstream.Ejection{
			Failures: orNone(c.Breaker.Failures), Time: time.Duration(c.Breaker.Time), MaxTime: time.Duration(c.Breaker.MaxTime),
		},
		Retry: retry(c, w.budget),
	}
	if l.QueueTime == 0 {
		o.Queue = -1
	}
	for _, t := range of.Targets {
		o.Targets = append(o.Targets, upstream.Target{URL: t.URL, Weight: t.Weight, Backup: t.Backup})
	}
	if w.tracing != nil {
		o.Attempt = w.tracing.Attempt
	}
	if of.Health.Path != "" {
		o.Health = healthChecks(of.Health.WithDefaults())
	}
	return upstream.New(o)
}

// orNone turns the 0 of the configuration, which is none, into that of the packages.
func orNone(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

var balances = map[string]upstream.Balance{
	"round_robin": upstream.RoundRobin, "least_requests": upstream.LeastRequests, "hash": upstream.Hash,
}

func healthChecks(h config.Health) *upstream.Health {
	out := &upstream.Health{
		Path: h.Path, Host: h.Host, Interval: time.Duration(h.Interval), Timeout: time.Duration(h.Timeout),
		Rise: h.Rise, Fall: h.Fall,
	}
	for _, r := range h.Statuses() {
		out.Statuses = append(out.Statuses, upstream.Statuses(r))
	}
	return out
}

var retryRows = map[string]upstream.Row{
	"never": upstream.Never, "now": upstream.Now, "wait": upstream.AfterRetryAfter, "backoff": upstream.Backoff,
}

func retry(c config.Config, budget *upstream.Budget) upstream.Retry {
	r := c.Retry
	out := upstream.Retry{
		Attempts: r.Attempts, Time: time.Duration(r.Time), Unsafe: r.Unsafe, KeepBody: int64(r.Body), Budget: budget,
		Rows: make(map[int]upstream.Row),
	}
	if out.Time == 0 {
		out.Time = 1 // no time to wait
	}
	if out.KeepBody == 0 {
		out.KeepBody = -1
	}
	for answer, word := range c.RetryRows() {
		status, _ := strconv.Atoi(answer) // 0 for "connection"
		out.Rows[status] = retryRows[word]
	}
	return out
}

// closeOthers closes the upstreams that are not in kept.
func (o origins) closeOthers(kept origins) {
	for key, u := range o {
		if kept[key] == nil {
			u.Close()
		}
	}
}

// newBudget is that of all upstreams: the share that is configured, or none at all.
func newBudget(r config.Retry) *upstream.Budget {
	if r.Budget == 0 {
		return upstream.NewBudget(-1, -1)
	}
	return upstream.NewBudget(r.Budget, 0)
}
