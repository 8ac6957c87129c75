package revalidate

import (
	"sync/atomic"

	"cacheproxy/origin"
)

// tally counts what came of exchanges with origins: also of those that no client
// waited for, or whose answer no client saw.
type tally struct {
	answers  [600]atomic.Int64 // by status
	failures [256]atomic.Int64 // by origin.Failure
}

func (t *tally) answered(status int) {
	if status >= 100 && status < len(t.answers) {
		t.answers[status].Add(1)
	}
}

// failed counts an error of an exchange or a body, unless we ended it ourselves.
func (t *tally) failed(err error) {
	if kind := failureOf(err).Kind; kind != origin.Canceled {
		t.failures[kind].Add(1)
	}
}

// Exchanges returns how often origins answered so far, by status, and how often
// they failed, by error type (RFC 9209, 2.3). A body that broke off counts as
// both.
func (f *Fetcher) Exchanges() (answers map[int]int64, failures map[string]int64) {
	answers, failures = make(map[int]int64), make(map[string]int64)
	for status := range f.tally.answers {
		if n := f.tally.answers[status].Load(); n > 0 {
			answers[status] = n
		}
	}
	for kind := range f.tally.failures {
		if n := f.tally.failures[kind].Load(); n > 0 {
			failures[origin.Failure(kind).String()] += n
		}
	}
	return answers, failures
}
