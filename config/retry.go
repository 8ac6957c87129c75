package config

import (
	"maps"
	"slices"
	"strings"
)

// Retry says which requests are sent again. Attempts counts the first; Time bounds
// all waiting in between; Budget is the share of requests that may be retries.
type Retry struct {
	Attempts int      `yaml:"attempts"`
	Time     Duration `yaml:"time"`
	Budget   float64  `yaml:"budget"`
	Body     Size     `yaml:"body"`
	Unsafe   bool     `yaml:"unsafe"`
	On       retryOn  `yaml:"on"`
}

// retryOn is what is done about each answer: a status, or "connection" for no
// connection.
type retryOn map[string]string

func defaultRetry() Retry {
	return Retry{Attempts: 3, Time: 3 * second, Budget: 0.2, Body: 64 << 10}
}

// defaultOn is the table of what is done where a configuration does not say.
var defaultOn = retryOn{
	"408": "now", "429": "wait", "503": "wait", "502": "backoff", "504": "backoff", "connection": "backoff",
}

// retryWords are what can be done: nothing; once more at once; after Retry-After, or
// else as backoff; after a time that grows, for idempotent methods.
var retryWords = []string{"never", "now", "wait", "backoff"}

// RetryRows returns the table in use: the defaults with what retry.on changes. In
// profile rfc9111 a status is an answer like any other: by default only connections
// are tried again.
func (c Config) RetryRows() map[string]string {
	rows := maps.Clone(defaultOn)
	if c.Profile == "rfc9111" {
		for row := range rows {
			rows[row] = "never"
		}
		rows["connection"] = defaultOn["connection"]
	}
	maps.Copy(rows, c.Retry.On)
	return rows
}

func (r *Retry) validate(p *problems) {
	if r.Attempts < 1 || r.Attempts > 10 {
		p.add("retry.attempts", "%d is out of range; use 1 (no retries) to 10", r.Attempts)
	}
	p.check("retry.time", checkDuration(r.Time, 0, 300*second))
	if !(r.Budget >= 0 && r.Budget <= 1) {
		p.add("retry.budget", "%v is out of range; use 0 to 1", r.Budget)
	}
	p.check("retry.body", checkSize(r.Body, 0, 16<<20))
	rows := slices.Sorted(maps.Keys(defaultOn))
	for _, row := range slices.Sorted(maps.Keys(r.On)) {
		if _, known := defaultOn[row]; !known {
			p.add("retry.on."+row, "is no answer to retry; those are %s", strings.Join(rows, ", "))
			continue
		}
		p.check("retry.on."+row, oneOf(r.On[row], retryWords))
	}
}

// Breaker says when a target gets no requests for a while: after so many Failures
// in a row, for Time at first.
type Breaker struct {
	Failures int      `yaml:"failures"`
	Time     Duration `yaml:"time"`
	MaxTime  Duration `yaml:"max_time"`
}

var defaultBreaker = Breaker{Failures: 5, Time: second, MaxTime: 30 * second}

func (b *Breaker) validate(p *problems) {
	if b.Failures < 0 || b.Failures > 1000 {
		p.add("breaker.failures", "%d is out of range; use 0 (never) to 1000", b.Failures)
	}
	p.check("breaker.time", checkDuration(b.Time, second/10, 3600*second))
	p.check("breaker.max_time", checkDuration(b.MaxTime, second/10, 3600*second))
	if b.MaxTime < b.Time {
		p.add("breaker.max_time", "%s is less than breaker.time (%s); raise it", b.MaxTime, b.Time)
	}
}
