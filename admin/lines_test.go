package admin

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
)

func TestLinesAppearWithinAQuarterSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		l := newLog(t, LogOptions{Mode: "full", Format: "json", Output: &out})
		defer l.Close()
		for range 3 {
			l.Observe(hit())
			synctest.Wait()
			before := out.lines()
			time.Sleep(250 * time.Millisecond)
			synctest.Wait()
			assert.Equal(t, before+1, out.lines())
		}
	})
}

// A busy log does not wait for the clock: the lines would not fit.
func TestABatchIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		l := newLog(t, LogOptions{Mode: "full", Format: "json", Output: &out})
		defer l.Close()
		start := time.Now()
		for i := range 3 * 8192 {
			l.Observe(hit())
			if i%1000 == 0 {
				synctest.Wait() // the writer gets its turn
			}
		}
		synctest.Wait()
		assert.Zero(t, l.Dropped())
		assert.Zero(t, time.Since(start))
		assert.Greater(t, out.lines(), 2*8192, "more than could wait")
	})
}

// A blocked output costs lines, never time: nothing here waits for the clock.
func TestABlockedOutputDropsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		l := newLog(t, LogOptions{Mode: "full", Format: "combined", Output: w, Lines: 10})
		l.Observe(hit())
		time.Sleep(time.Second) // the first line is on its way, for good
		start := time.Now()
		for range 25 {
			l.Observe(hit())
		}
		assert.Zero(t, time.Since(start))
		assert.EqualValues(t, 15, l.Dropped(), "10 of 25 wait")

		got := make(chan int)
		go func() {
			all, _ := io.ReadAll(r)
			got <- bytes.Count(all, []byte("\n"))
		}()
		require.NoError(t, l.Close(), "the output takes lines again")
		w.Close()
		assert.Equal(t, 11, <-got)
		assert.EqualValues(t, 15, l.Dropped())
	})
}

// Long lines are bounded in bytes too.
func TestLongLinesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		l := newLog(t, LogOptions{Mode: "full", Format: "combined", Output: w, Lines: 100})
		long := with(hit(), func(o *proxy.Outcome) { o.URI = "/" + strings.Repeat("x", 10<<10) })
		l.Observe(long)
		time.Sleep(time.Second)
		for range 100 {
			l.Observe(long)
		}
		assert.EqualValues(t, 91, l.Dropped(), "9 of 10 KiB fit into 100 KiB")
		go func() { _, _ = io.Copy(io.Discard, r) }()
		require.NoError(t, l.Close())
		w.Close()
	})
}

func TestABlockedOutputDoesNotHoldUpTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		l := newLog(t, LogOptions{Mode: "full", Format: "json", Output: w})
		l.Observe(hit())
		start := time.Now()
		assert.ErrorContains(t, l.Close(), "within 2s")
		assert.Equal(t, 2*time.Second, time.Since(start))
		r.Close() // so that the writer ends
	})
}

// failing takes some bytes of every write, and then no more.
type failing struct{ takes int }

func (f failing) Write(b []byte) (int, error) {
	return min(f.takes, len(b)), errors.New("no space left on device")
}

func TestOutputErrorsCountAsDropped(t *testing.T) {
	line := len(logged(t, "combined", hit()))
	for _, tc := range []struct {
		name  string
		takes int
		want  int64
	}{
		{"nothing", 0, 5},
		{"a nonsensical count", -1, 5},
		{"two lines", 2 * line, 3},
		{"two lines and a half", 2*line + line/2, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLog(t, LogOptions{Mode: "full", Format: "combined", Output: failing{tc.takes}})
			for range 5 {
				l.Observe(hit())
			}
			require.NoError(t, l.Close())
			assert.Equal(t, tc.want, l.Dropped())
		})
	}
}

func TestAnOutputMayRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		flaky := &once{then: &out}
		l := newLog(t, LogOptions{Mode: "full", Format: "json", Output: flaky})
		l.Observe(hit())
		time.Sleep(time.Second)
		l.Observe(miss())
		require.NoError(t, l.Close())
		assert.EqualValues(t, 1, l.Dropped())
		assert.Equal(t, 1, out.lines())
		assert.Contains(t, out.String(), "uri-miss")
	})
}

// once fails once.
type once struct {
	failed bool
	then   io.Writer
}

func (o *once) Write(b []byte) (int, error) {
	if !o.failed {
		o.failed = true
		return 0, errors.New("broken pipe")
	}
	return o.then.Write(b)
}

func TestCloseFlushesAndLaterLinesAreDropped(t *testing.T) {
	var out sink
	l := newLog(t, LogOptions{Mode: "full", Format: "json", Output: &out})
	for range 1000 {
		l.Observe(hit())
	}
	require.NoError(t, l.Close())
	assert.Equal(t, 1000, out.lines())
	l.Observe(hit())
	require.NoError(t, l.Close(), "twice")
	assert.Equal(t, 1000, out.lines())
	assert.EqualValues(t, 1, l.Dropped())
}

// However lines and the end fall together, each line is written or counted.
func TestObserveAndCloseAtOnce(t *testing.T) {
	for _, format := range []string{"json", "combined"} {
		var out sink
		l := newLog(t, LogOptions{Mode: "full", Format: format, Output: &out, Lines: 64})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 500 {
					l.Observe(hit())
				}
			})
		}
		all.Go(func() { assert.NoError(t, l.Close()) })
		all.Wait()
		require.NoError(t, l.Close())
		assert.EqualValues(t, 4000, int64(out.lines())+l.Dropped())
		want := logged(t, format, hit())
		for line := range strings.Lines(out.String()) {
			require.Equal(t, want, line, "lines do not mix")
		}
	}
}
