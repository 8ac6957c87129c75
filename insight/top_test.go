package insight

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

func at(o *proxy.Outcome, uri string) *proxy.Outcome {
	o.URI = uri
	return o
}

func TestTopRanks(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		for range 10 {
			in.Observe(at(hit(), "/popular"))
		}
		for range 3 {
			in.Observe(with(at(miss(), "/private"), func(o *proxy.Outcome) { o.Refused = policy.Private }))
		}
		in.Observe(at(miss(), "/private"))
		in.Observe(with(at(miss(), "/large"), func(o *proxy.Outcome) { o.Bytes = 1 << 30 }))
		in.Observe(with(at(miss(), "/slow"), func(o *proxy.Outcome) { o.OriginTime = time.Minute }))
		for by, want := range map[string]string{"requests": "/popular", "misses": "/private", "bytes": "/large", "origin_time": "/slow"} {
			urls, since, ok := in.Top(by, 1)
			require.True(t, ok)
			require.Len(t, urls, 1, by)
			assert.Equal(t, "example.com"+want, urls[0].URL, by)
			assert.Zero(t, urls[0].Error, "all URLs are known")
			assert.Equal(t, in.started, since)
		}
		urls, _, _ := in.Top("misses", 100)
		assert.Len(t, urls, 3, "what never missed is not in it")
		assert.EqualValues(t, 4, urls[0].Misses)
		require.Len(t, urls[0].Reasons, 2)
		assert.Equal(t, "private", urls[0].Reasons[0].Reason, "what kept it from being stored says more than uri-miss")
		assert.EqualValues(t, 3, urls[0].Reasons[0].Count)
		_, _, ok := in.Top("beauty", 10)
		assert.False(t, ok)
	})
}

// What is old goes, after an hour at the earliest and two at the latest.
func TestTopForgets(t *testing.T) {
	hasten(t, Options{}, time.Minute, func(t *testing.T, f *fast) {
		f.Observe(hit())
		f.pass(59 * time.Minute)
		f.Observe(at(hit(), "/later"))
		f.Observe(hit())
		f.pass(time.Hour)
		urls, since, _ := f.Top("requests", 10)
		require.Len(t, urls, 2)
		assert.EqualValues(t, 2, urls[0].Requests, "both generations count")
		assert.Equal(t, f.started, since)
		f.pass(2 * time.Minute)
		urls, since, _ = f.Top("requests", 10)
		assert.Empty(t, urls)
		assert.Equal(t, f.started.Add(time.Hour), since)
	})
}

func TestSixReasonsAtMost(t *testing.T) {
	var e entry
	for i := range 20 {
		e.because(policy.Reason(i+1), int64(i+1))
	}
	u := e.url()
	assert.Len(t, u.Reasons, 6)
	assert.Equal(t, policy.Reason(20).String(), u.Reasons[0].Reason)
}

// Far more URLs than are followed: those that weigh more than the bound are
// there, and no weight is off by more than is said.
func TestTopWithinItsErrorBound(t *testing.T) {
	var s summary
	exact := map[uint64]int64{}
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.05, 1, 40_000)
	const requests = 60_000
	for range requests {
		id := zipf.Uint64() + 1
		exact[id]++
		s.add(id, "host", fmt.Sprint("/", id), 1, &sample{requests: 1})
	}
	require.Len(t, s.entries, topKeys)
	require.Len(t, s.byID, topKeys)
	for i, e := range s.entries {
		assert.Equal(t, i, e.at)
		if i > 0 {
			assert.LessOrEqual(t, s.entries[(i-1)/2].weight, e.weight, "the heap is in order")
		}
		assert.GreaterOrEqual(t, e.weight, exact[e.id], "never underrated")
		assert.LessOrEqual(t, e.weight-e.error, exact[e.id], "overrated by the error at most")
		assert.Equal(t, fmt.Sprint("host/", e.id), string(e.text))
	}
	heavy := 0
	for id, n := range exact {
		if n > requests/topKeys {
			heavy++
			assert.Contains(t, s.byID, id)
		}
	}
	assert.Greater(t, heavy, 20)
}

func TestLongURLsAreCut(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		long := "/" + strings.Repeat("x", 5000)
		in.Observe(at(hit(), long))
		in.Observe(at(hit(), long+"y"))
		in.Observe(with(at(hit(), long), func(o *proxy.Outcome) { o.Host = strings.Repeat("h", 700) }))
		urls, _, _ := in.Top("requests", 10)
		require.Len(t, urls, 3, "they are told apart all the same")
		assert.LessOrEqual(t, len(urls[2].URL), 700)
	})
}

// Under load hits are sampled, and what is reported is an estimate that is close.
func TestTopOfSampledHits(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		burst := func() {
			for i := range 20_000 {
				uri := "/a"
				if i%4 == 0 {
					uri = "/b" // in turns, as one client asks
				}
				in.Observe(at(hit(), uri))
			}
			wait(time.Second)
		}
		for range 10 {
			burst()
		}
		urls, _, _ := in.Top("requests", 10)
		require.Len(t, urls, 2)
		assert.InEpsilon(t, 150_000, urls[0].Requests, .05)
		assert.InEpsilon(t, 50_000, urls[1].Requests, .05)
		assert.EqualValues(t, 200_000, in.Overview().Windows["total"].Requests, "counts are exact")
	})
}
