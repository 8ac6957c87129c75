package insight

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hit is the outcome of a request that the store answered.
func hit() *proxy.Outcome {
	return &proxy.Outcome{
		Action: policy.Serve, Reason: policy.Fresh, Route: "site", Status: 200,
		Method: "GET", Host: "example.com", URI: "/a?b=c", Proto: "HTTP/1.1", Key: "http://example.com/a?b=c",
		Remote: "192.0.2.7:41000", Duration: 75 * time.Microsecond, Bytes: 1024, FromCache: 1024,
	}
}

// miss is the outcome of a request that the origin answered.
func miss() *proxy.Outcome {
	o := hit()
	o.Action, o.Reason, o.FwdStatus, o.Stored, o.RequestID = policy.Fetch, policy.URIMiss, 200, true, "4bf92f35"
	o.Duration, o.OriginTime, o.FromCache = 80*time.Millisecond, 60*time.Millisecond, 0
	return o
}

func with(o *proxy.Outcome, change func(*proxy.Outcome)) *proxy.Outcome {
	change(o)
	return o
}

// bubble runs a test in which time is that of a synctest bubble.
func bubble(t *testing.T, o Options, fn func(t *testing.T, in *Insight)) {
	synctest.Test(t, func(t *testing.T) {
		in := New(o)
		defer in.Close()
		fn(t, in)
	})
}

// wait lets time pass, and everything that is due at its end happen.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// fast is an Insight whose seconds are as long as a test wants them to be: it
// stands in a bubble where no time passes by itself.
type fast struct {
	*Insight
	now  time.Time
	step time.Duration
}

func hasten(t *testing.T, o Options, step time.Duration, fn func(t *testing.T, f *fast)) {
	bubble(t, o, func(t *testing.T, in *Insight) { fn(t, &fast{in, in.started, step}) })
}

func (f *fast) pass(d time.Duration) {
	for end := f.now.Add(d); f.now.Before(end); {
		f.now = f.now.Add(f.step)
		f.tick(f.now)
	}
}

func (f *fast) look() Overview {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.collect()
	return f.overview(f.now)
}

func TestObserveDoesNotAllocate(t *testing.T) {
	in := New(Options{})
	defer in.Close()
	for _, tc := range []struct {
		name string
		one  *proxy.Outcome
	}{{"hit", hit()}, {"miss", miss()}, {"error", with(miss(), func(o *proxy.Outcome) { o.Status, o.FwdStatus = 502, 502 })}} {
		for range 3 * recentRoom {
			in.Observe(tc.one)
			in.recent.refill()
		}
		assert.Zero(t, testing.AllocsPerRun(1000, func() { in.Observe(tc.one) }), tc.name)
	}
}

func TestObserveFromManyGoroutines(t *testing.T) {
	in := New(Options{})
	defer in.Close()
	const each, goroutines = 2000, 16
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			o := with(hit(), func(o *proxy.Outcome) { o.Route, o.URI = fmt.Sprint("route", g%3), fmt.Sprint("/", g) })
			for i := range each {
				in.Observe(o)
				if i%500 == 0 {
					in.Overview()
					in.Requests(Filter{Limit: 10})
				}
			}
		})
	}
	wg.Wait()
	all := in.Overview().Windows["total"]
	assert.EqualValues(t, each*goroutines, all.Requests)
	assert.EqualValues(t, each*goroutines*1024, all.BytesCache)
	urls, _, _ := in.Top("requests", 100)
	assert.Len(t, urls, goroutines)
}

// More routes than are told apart are counted all the same.
func TestManyRoutes(t *testing.T) {
	in := New(Options{})
	defer in.Close()
	for i := range 3 * maxRoutes {
		in.Observe(with(hit(), func(o *proxy.Outcome) { o.Route = fmt.Sprint(i) }))
	}
	assert.EqualValues(t, 3*maxRoutes, in.Overview().Windows["total"].Requests)
}

func TestMemoryIsBounded(t *testing.T) {
	before := heap()
	hasten(t, Options{}, time.Minute, func(t *testing.T, f *fast) {
		url := 0
		for range 26 * 60 { // a day and more, with all rings full
			for range 5 {
				url++
				o := miss()
				o.URI = fmt.Sprintf("/%d?%0600d", url, url)
				f.Observe(o)
				o.Status = 502
				f.Observe(o)
			}
			f.pass(time.Minute)
		}
		for range hours {
			f.history.hours.add(Point{}, hours)
		}
		assert.Len(t, f.Requests(Filter{Limit: 1e6}), 2*recentRoom)
		used := heap() - before
		t.Logf("%d KiB", used>>10)
		assert.Less(t, used, int64(8<<20))
	})
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestCloseEndsEverything(t *testing.T) {
	in := New(Options{})
	in.Close()
	in.Close()
	in.Observe(hit()) // of a request that ends late
	assert.EqualValues(t, 1, in.Overview().Windows["total"].Requests)
}

func BenchmarkObserve(b *testing.B) {
	for _, bm := range []struct {
		name string
		one  *proxy.Outcome
	}{{"hit", hit()}, {"miss", miss()}} {
		b.Run(bm.name, func(b *testing.B) {
			in := New(Options{})
			defer in.Close()
			busy(in, bm.one)
			b.ReportAllocs()
			for b.Loop() {
				in.Observe(bm.one)
			}
		})
	}
}

func BenchmarkObserveParallel(b *testing.B) {
	in := New(Options{})
	defer in.Close()
	busy(in, hit())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		o := hit()
		for pb.Next() {
			in.Observe(o)
		}
	})
}

// busy brings the sampling to where it is under load.
func busy(in *Insight, o *proxy.Outcome) {
	for range 200_000 {
		in.Observe(o)
	}
	in.tick(time.Now())
}
