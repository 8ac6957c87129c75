package upstream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

func TestStates(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 7}, "a:3", "+b")
		time.Sleep(time.Second)
		w.host("a.test", always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbegi"))
		resp, err := u.RoundTrip(w.request(u, "GET", "/", ""))
		require.NoError(w, err)
		assert.Equal(w, []State{
			{URL: "http://a.test", Weight: 3, Since: w.start, InFlight: 1, Limit: 7, Requests: 1, Failures: map[origin.Failure]int64{}},
			{URL: "http://b.test", Weight: 1, Backup: true, Since: w.start, Limit: 7, Failures: map[origin.Failure]int64{}},
		}, utc(u.Targets()))
		resp.Body.Close()
		u.targets[0].hold(time.Minute)
		s := utc(u.Targets())[0]
		assert.Equal(w, Held, s.Condition)
		assert.Equal(w, w.start.Add(time.Second), s.Since)
		assert.InDelta(w, 61*time.Second, s.Until.Sub(w.start), 10)
		time.Sleep(2 * time.Minute)
		s = utc(u.Targets())[0]
		assert.Equal(w, Up, s.Condition)
		assert.InDelta(w, 61*time.Second, s.Since.Sub(w.start), 10, "since it ended, not since somebody looked")
		assert.Zero(w, s.Until)
	})
}

// utc drops what tells equal times apart.
func utc(list []State) []State {
	for i := range list {
		list[i].Since = list[i].Since.Round(time.Microsecond)
	}
	return list
}

func TestConditionsHaveNames(t *testing.T) {
	var names []string
	for c := Up; c <= Down; c++ {
		names = append(names, c.String())
	}
	assert.Equal(t, []string{"up", "held", "open", "half-open", "down"}, names)
}

func TestNewRefuses(t *testing.T) {
	one := []Target{{URL: "http://a.test"}}
	for _, tc := range []struct {
		o    Options
		want string
	}{
		{Options{}, `upstream "app": no target that is not a backup; give at least one`},
		{Options{Targets: []Target{{URL: "http://a.test", Backup: true}}}, "no target that is not a backup"},
		{Options{Targets: []Target{{URL: "ftp://a.test"}}}, `upstream "app": origin "ftp://a.test"`},
		{Options{Targets: []Target{{URL: "http://a.test", Weight: -1}}}, "target http://a.test: weight -1 is out of range; use 1 to 1000"},
		{Options{Targets: []Target{{URL: "http://a.test", Weight: 1001}}}, "weight 1001 is out of range"},
		{Options{Targets: one, Balance: 9}, "balance 9 is unknown"},
		{Options{Targets: one, QueueTime: -1}, "queue time -1ns is negative"},
		{Options{Targets: one, Ejection: Ejection{Time: time.Minute, MaxTime: time.Second}}, "longest ejection 1s is less than the first, 1m0s; raise it"},
		{Options{Targets: one, Retry: Retry{Attempts: 11}}, "11 attempts are out of range; use 1 to 10"},
		{Options{Targets: one, Retry: Retry{Attempts: -1}}, "-1 attempts are out of range"},
		{Options{Targets: one, Retry: Retry{Base: time.Minute, Max: time.Second}}, "longest backoff 1s is less than the first"},
		{Options{Targets: one, Retry: Retry{Rows: map[int]Row{200: Now}}}, "retries for status 200: only those from 400 to 599"},
		{Options{Targets: one, Retry: Retry{Rows: map[int]Row{1000: Now}}}, "retries for status 1000: only those from 400 to 599"},
		{Options{Targets: one, Retry: Retry{Rows: map[int]Row{500: 9}}}, "retries for status 500: way 9 is unknown"},
		{Options{Targets: one, Health: &Health{}}, `health check of "": want a path that begins with /`},
		{Options{Targets: one, Health: &Health{Path: "/%zz"}}, `health check of "/%zz"`},
		{Options{Targets: one, Health: &Health{Path: "/", Interval: -1}}, "neither can be negative"},
		{Options{Targets: one, Health: &Health{Path: "/", Fall: -1}}, "neither can be negative"},
		{Options{Targets: one, Health: &Health{Path: "/", Statuses: []Statuses{{300, 200}}}}, "health check for statuses 300 to 200"},
	} {
		tc.o.Name = "app"
		u, err := New(tc.o)
		require.ErrorContains(t, err, tc.want)
		assert.Nil(t, u)
	}
	_, err := New(Options{Balance: 9, Retry: Retry{Attempts: 11}})
	for _, part := range []string{"backup", "balance", "attempts"} {
		assert.ErrorContains(t, err, part, "all that is wrong at once")
	}
}
