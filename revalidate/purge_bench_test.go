package revalidate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
)

// BenchmarkPurge purges one of 1,000 or 1,000,000 entries by its tag, and reports how
// long the call and the sweep after it take. The first call comes after a long sweep,
// when no cache of the CPU knows it any more; the second one right after it. Run it
// once:
//
//	go test -run '^$' -bench Purge -benchtime 20x ./revalidate
func BenchmarkPurge(b *testing.B) {
	for _, engine := range cache.Engines() {
		for _, n := range []int{1_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", engine, n), func(b *testing.B) { benchmarkPurge(b, engine, n) })
		}
	}
}

func benchmarkPurge(b *testing.B, engine cache.Engine, n int) {
	store, err := cache.New[Kept](cache.Options{MaxCost: int64(n) * 2000, Engine: engine})
	require.NoError(b, err)
	defer store.Close()
	f := New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4})
	defer f.Close()
	now := time.Now()
	for i := range n {
		s := &policy.Stored{Method: "GET", Status: 200, Times: policy.Times{Requested: now, Received: now}, Date: now, Lifetime: time.Hour, Tags: fmt.Sprintf("all\nt%d", i)}
		key := fmt.Sprintf("http://www.example.com/a/path/%d.html", i)
		c := f.change(key, []*Entry{{Stored: s, Fields: "Content-Type: text/html\r\n", Body: NewBody(make([]byte, 64))}})
		require.True(b, store.Set(key, c.Value, c.Cost, c.TTL))
		if i%1000 == 0 {
			store.Flush()
		}
	}
	store.Flush()
	var first, second []time.Duration
	var sweep time.Duration
	i := 0
	for b.Loop() {
		start := time.Now()
		f.Purge([]purge.Mark{{Kind: purge.Tag, Value: "none"}}, nil)
		between := time.Now()
		p := f.Purge([]purge.Mark{{Kind: purge.Tag, Value: fmt.Sprint("t", i)}}, nil)
		called := time.Now()
		hits, complete := p.Wait(b.Context())
		first, second, sweep = append(first, between.Sub(start)), append(second, called.Sub(between)), sweep+time.Since(called)
		require.True(b, complete)
		require.EqualValues(b, 1, hits[0])
		i++
	}
	for name, calls := range map[string][]time.Duration{"first": first, "second": second} {
		slices.Sort(calls)
		b.ReportMetric(float64(calls[len(calls)/2].Nanoseconds()), "median-ns/"+name+"-call")
	}
	b.ReportMetric(sweep.Seconds()*1e3/float64(b.N), "ms/sweep")
	start := time.Now()
	hits, _ := f.Purge([]purge.Mark{{Kind: purge.Tag, Value: "all"}}, nil).Wait(b.Context())
	b.ReportMetric(time.Since(start).Seconds()*1e3, "ms/sweep-that-deletes-all")
	require.EqualValues(b, n-i, hits[0])
}

// BenchmarkPurgeAmidMarks sets one mark more while others wait for a flight to land.
//
//	go test -run '^$' -bench PurgeAmidMarks -benchtime 2000x ./revalidate
func BenchmarkPurgeAmidMarks(b *testing.B) {
	for _, n := range []int{1, 100, 900, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			store, err := cache.New[Kept](cache.Options{MaxCost: 1 << 20, Engine: cache.GDSF})
			require.NoError(b, err)
			defer store.Close()
			f := New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4})
			defer f.Close()
			defer f.holdMarks()()
			for i := range n {
				f.Purge([]purge.Mark{{Kind: purge.Tag, Value: fmt.Sprint("before ", i)}}, nil)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				f.Purge([]purge.Mark{{Kind: purge.Tag, Value: fmt.Sprint(i)}}, nil)
				i++
			}
		})
	}
}

// BenchmarkLookupAmidMarks looks up what a mark in force may hit: by its tags, its
// host, and 100 patterns.
func BenchmarkLookupAmidMarks(b *testing.B) {
	f := New(Options{Store: nil, MaxObject: maxObject, MaxVariants: 4})
	defer f.Close()
	now := time.Now()
	s := &policy.Stored{Method: "GET", Status: 200, Times: policy.Times{Requested: now, Received: now}, Date: now, Lifetime: time.Hour, Tags: "one\ntwo\nthree"}
	k := keep([]*Entry{{Stored: s, Fields: "Content-Type: text/html\r\n"}}, f.base)
	marks := map[string][]purge.Mark{"none": nil}
	marks["tag"] = []purge.Mark{{Kind: purge.Tag, Value: "four"}}
	marks["host"] = []purge.Mark{{Kind: purge.Host, Value: "other.example.com"}}
	for i := range 100 {
		marks["100 globs"] = append(marks["100 globs"], purge.Mark{Kind: purge.Glob, Value: fmt.Sprintf("www.example.com/%d/*.jpg", i)})
	}
	for name, all := range marks {
		for _, newer := range []bool{false, true} {
			for i := range all {
				all[i].Time = now.Add(time.Second)
				if newer {
					all[i].Time = now.Add(-time.Second)
				}
			}
			set := purge.New(all)
			b.Run(fmt.Sprintf("%s, older than the entry %v", name, newer), func(b *testing.B) {
				var r Resource
				b.ReportAllocs()
				for b.Loop() {
					r.fill(k, f.base)
					if set != nil && !r.strike(set, "http://www.example.com/a/path.html") {
						b.Fatal("struck")
					}
				}
			})
		}
	}
}
