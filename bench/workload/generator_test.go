package workload

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/trace"
)

var update = flag.Bool("update", false, "write the sums of the sequences anew")

// generator makes the workload of a text.
func generator(t testing.TB, text string) *Generator {
	s, err := Parse(text)
	require.NoError(t, err)
	g, err := New(s)
	require.NoError(t, err)
	return g
}

// requests are the first n of a workload.
func requests(t testing.TB, text string, n int) []Request {
	g := generator(t, text)
	var out []Request
	for range n {
		r, more := g.Next()
		require.True(t, more)
		out = append(out, r)
	}
	return out
}

func field(r Request, name string) string {
	for _, f := range r.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func TestSequencesStayTheSame(t *testing.T) {
	const file = "testdata/sequences.txt"
	var b strings.Builder
	for _, p := range Presets() {
		sum := sha256.New()
		for _, r := range requests(t, p.Name, 20_000) {
			fmt.Fprintln(sum, r)
		}
		fmt.Fprintf(&b, "%s %x\n", p.Name, sum.Sum(nil)[:8])
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String(), "reports of earlier versions name other requests now; if that is meant, run the test with -update")
}

func TestSeeds(t *testing.T) {
	assert.Equal(t, requests(t, "cdn,seed=5", 5000), requests(t, "cdn,seed=5", 5000))
	assert.NotEqual(t, requests(t, "cdn,seed=5", 50), requests(t, "cdn,seed=6", 50))
}

func TestPopularity(t *testing.T) {
	const n, objects = 200_000, 500
	seen := map[string]int{}
	for _, r := range requests(t, "objects=500,alpha=0.9,sizes=uniform:1-1MiB", n) {
		seen[r.Target]++
	}
	assert.LessOrEqual(t, len(seen), objects)
	g := generator(t, "objects=500,alpha=0.9,sizes=uniform:1-1MiB")
	p := law(objects, 0.9)
	for k := 1; k <= objects; k++ {
		within(t, p[k], seen[g.object(uint64(k)).target], n, "rank %d", k)
	}
}

func TestFootprint(t *testing.T) {
	for _, text := range []string{
		"footprint=1GiB,sizes=log-uniform:200-8MiB", "footprint=100MB,sizes=fixed:1000",
		"footprint=1,sizes=uniform:0-5", "footprint=2MiB,sizes=uniform:1-9",
	} {
		g := generator(t, text)
		total, last := int64(0), int64(0)
		for id := range g.Objects() {
			last = g.object(uint64(id + 1)).size
			total += last
		}
		assert.InEpsilon(t, total, g.Footprint(), 0.005, text)
		if g.Objects() <= counted {
			assert.GreaterOrEqual(t, total, g.Spec().Footprint, text)
			assert.Less(t, total-last, g.Spec().Footprint, "%s: the last object is needed", text)
		} else {
			assert.InEpsilon(t, g.Spec().Footprint, total, 0.005, text)
		}
	}
}

// targets counts how often each target is there.
func targets(rs []Request) map[string]int {
	seen := map[string]int{}
	for _, r := range rs {
		seen[r.Target]++
	}
	return seen
}

func TestDrift(t *testing.T) {
	const settings = "objects=1000,alpha=0,sizes=fixed:1KiB"
	const n = 100_000
	assert.Len(t, targets(requests(t, settings, n)), 1000, "without drift")
	all := requests(t, settings+",drift=0.5/10000", n)
	seen := map[string]bool{}
	for period := range 10 {
		fresh := 0
		for target := range targets(all[period*10_000 : (period+1)*10_000]) {
			if !seen[target] {
				fresh++
			}
			seen[target] = true
		}
		// Half of a thousand; some of those are first asked for in the next period.
		want := 500
		if period == 0 {
			want = 1500 - 50
		}
		assert.InDelta(t, want, fresh, 60, "new objects of period %d", period)
	}
	first := targets(all[:10_000])
	last := targets(all[90_000:])
	for target := range first {
		assert.Zero(t, last[target], "%s was replaced for good", target)
	}
}

func TestOnce(t *testing.T) {
	const n = 20_000
	rs := requests(t, "objects=50,alpha=0,once=0.3,sizes=fixed:1KiB", n)
	single := 0
	for _, count := range targets(rs) {
		if count == 1 {
			single++
		}
	}
	within(t, 0.3, single, n, "one-hit wonders")
}

func TestScan(t *testing.T) {
	const every, length = 1000, 70
	rs := requests(t, "objects=50,alpha=0,scan=70/1000,sizes=fixed:1KiB", 5*every)
	seen := targets(rs)
	var before uint64
	for i, r := range rs {
		inScan := i%every >= every-length
		assert.Equal(t, inScan, seen[r.Target] == 1, "request %d", i)
		id, _, ok := trace.ParseObject(r.Target)
		require.True(t, ok)
		if inScan {
			assert.True(t, before == 0 || id == before+1, "request %d: the objects of scans are consecutive", i)
			before = id
		}
	}
}

func TestHosts(t *testing.T) {
	const n = 20_000
	hosts := map[string]int{}
	of := map[string]string{}
	for _, r := range requests(t, "objects=1000,alpha=0,hosts=5,sizes=fixed:1", n) {
		hosts[r.Host]++
		if of[r.Target] != "" {
			assert.Equal(t, of[r.Target], r.Host, "an object stays on its host")
		}
		of[r.Target] = r.Host
	}
	assert.Len(t, hosts, 5)
	for host, count := range hosts {
		assert.InDelta(t, n/5, count, n/50, host)
	}
	for _, r := range requests(t, "objects=10,post=0.5", 100) {
		assert.Empty(t, r.Host)
	}
}

func TestShapes(t *testing.T) {
	const n = 100_000
	count := map[string]int{}
	gets := map[string]bool{}
	var posts []string
	for _, r := range requests(t, "objects=1000,head=0.1,post=0.2,ranges=0.3,current=0.1,expired=0.05", n) {
		switch {
		case r.Method != "GET":
			count[r.Method]++
		case field(r, "Range") != "":
			count["range"]++
		case field(r, "If-None-Match") != "":
			count["condition"]++
		default:
			count["plain"]++
		}
		if r.Method == "POST" {
			posts = append(posts, r.Target)
		} else {
			gets[r.Target] = true
		}
	}
	for what, share := range map[string]float64{"HEAD": 0.1, "POST": 0.2, "range": 0.3, "condition": 0.15, "plain": 0.25} {
		within(t, share, count[what], n, "%s", what)
	}
	for _, target := range posts {
		assert.False(t, gets[target], "POST %s would invalidate an object", target)
	}
}

func TestVariants(t *testing.T) {
	const n = 50_000
	values := map[string]int{}
	queries := map[string]string{}
	objects := map[any]string{}
	for _, r := range requests(t, "objects=2000,alpha=0,sizes=fixed:9,vary-encoding=0.4,vary-language=0.3,encodings=gzip:3,br:1,languages=en:9,de:1", n) {
		values[field(r, "Accept-Encoding")]++
		values[field(r, "Accept-Language")]++
		path, query, _ := strings.Cut(r.Target, "?")
		if old, ok := queries[path]; ok {
			require.Equal(t, old, query, "an object does not change what it varies by")
		}
		queries[path] = query
		language := ""
		if strings.Contains(query, "language") {
			language = field(r, "Accept-Language")
		}
		if old, ok := objects[r.Object]; ok {
			require.Equal(t, old, r.Target+" "+language, "one identity for two representations")
		}
		objects[r.Object] = r.Target + " " + language
	}
	for value, share := range map[string]float64{"gzip": 0.75, "br": 0.25, "en": 0.9, "de": 0.1} {
		within(t, share, values[value], n, "%s", value)
	}
	by := map[string]int{}
	for _, query := range queries {
		by[query]++
	}
	for query, share := range map[string]float64{
		"": 0.6 * 0.7, "vary=encoding": 0.4 * 0.7, "vary=language": 0.6 * 0.3, "vary=encoding,language": 0.4 * 0.3,
	} {
		within(t, share, by[query], 2000, "objects with %q", query)
	}
}

func BenchmarkNext(b *testing.B) {
	for _, p := range Presets() {
		b.Run(p.Name, func(b *testing.B) {
			g := generator(b, p.Name)
			b.ReportAllocs()
			for b.Loop() {
				g.Next()
			}
		})
	}
}
