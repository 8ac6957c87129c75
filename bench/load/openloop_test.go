package load

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/report"
)

// stalling answers in a millisecond, but for one second in which it answers nobody.
func stalling(start time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Millisecond)
		if since := time.Since(start); since > 2*time.Second && since < 3*time.Second {
			time.Sleep(3*time.Second - since)
		}
		_, _ = w.Write([]byte("x"))
	}
}

// TestStallShowsInOpenLoopOnly is why there is an open loop: a closed one sends
// nothing while the target stalls, and so hardly notices.
func TestStallShowsInOpenLoopOnly(t *testing.T) {
	measure := func(rate float64) (out *report.Run) {
		synctest.Test(t, func(t *testing.T) {
			o := serve(t, stalling(time.Now()))
			o.Rate, o.Measured = rate, Part{Duration: 5 * time.Second}
			var err error
			out, err = Run(t.Context(), o)
			require.NoError(t, err)
		})
		require.Zero(t, out.Failed())
		return out
	}
	const second = 1_000_000
	open, closed := measure(100), measure(0)

	assert.Equal(t, int64(500), open.Answered, "each when it was due, for five seconds")
	assert.Greater(t, open.All.At(90), int64(second/4), "a fifth of the requests were due in the stall")
	assert.InDelta(t, second, open.All.At(100), second/50)
	assert.Less(t, open.All.At(75), int64(second/50), "the others did not wait")
	assert.InDelta(t, 100, open.Load.Late, 20, "those that were due in the stall, and while the queue was worked off")
	assert.InDelta(t, second, open.Load.MostLate, second/50)

	assert.Greater(t, closed.Answered, int64(3000))
	assert.Less(t, closed.All.At(99.9), int64(second/50), "one request of thousands saw the stall")
	assert.InDelta(t, second, closed.All.At(100), second/50)
	assert.Zero(t, closed.Load.Late)
}

func TestRequestsThatNobodyTakesAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := serve(t, func(w http.ResponseWriter, _ *http.Request) { time.Sleep(900 * time.Millisecond) })
		o.Rate, o.Timeout, o.Measured = 10, time.Second, Part{Duration: 10 * time.Second}
		r, err := Run(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, int64(100), r.Answered+r.Failed(), "all that were due")
		require.Len(t, r.Errors, 1)
		assert.Equal(t, "queue", r.Errors[0].Kind)
		assert.Contains(t, r.Errors[0].Example, "--connections")
		assert.InDelta(t, 11, r.Answered, 2, "one in 900 ms")
		assert.Equal(t, r.Answered, r.Sent)
		assert.LessOrEqual(t, r.All.At(100), int64(2_000_000), "a second in the queue and one on its way, at most")
	})
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		o := serve(t, func(http.ResponseWriter, *http.Request) { at = append(at, time.Since(start)) })
		o.Rate, o.Measured = 8, Part{Requests: 17}
		r, err := Run(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, int64(17), r.Answered)
		for i, d := range at {
			assert.Equal(t, time.Duration(i)*time.Second/8, d)
		}
	})
}

func TestStopEndsAWaitForTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := serve(t, func(http.ResponseWriter, *http.Request) {})
		stop := make(chan struct{})
		o.Rate, o.Measured, o.Stop = 0.01, Part{Duration: time.Hour}, stop
		time.AfterFunc(time.Second, func() { close(stop) })
		start := time.Now()
		r, err := Run(t.Context(), o)
		require.NoError(t, err)
		assert.True(t, r.Stopped)
		assert.Equal(t, int64(1), r.Answered)
		assert.Less(t, time.Since(start), 2*time.Second)
	})
}
