package revalidate

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
)

// snapshotOf is a snapshot of n entries of so many bytes.
func snapshotOf(t testing.TB, n, size int) []byte {
	store, f := filled(t, n, size, cache.GDSF)
	defer store.Close()
	defer f.Close()
	return snap(t, f)
}

// filled is a fetcher with n entries of so many bytes each.
func filled(t testing.TB, n, size int, engine cache.Engine) (cache.Store[Kept], *Fetcher) {
	store, err := cache.New[Kept](cache.Options{MaxCost: int64(n)*int64(size+10_000) + 1<<20, MeanCost: int64(size + 1000), Engine: engine})
	require.NoError(t, err)
	f := New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4})
	for i := range n {
		putEntry(f, keyOf(i), contentOf(i, size))
	}
	store.Flush()
	return store, f
}

func keyOf(i int) string { return fmt.Sprintf("http://site.test/%d?q=1", i) }

// contentOf depends on i in every place.
func contentOf(i, size int) []byte {
	b := make([]byte, size)
	for at := range b {
		b[at] = byte(i + at*7)
	}
	return b
}

func putEntry(f *Fetcher, key string, body []byte) {
	now := time.Now()
	h := http.Header{"Cache-Control": {"max-age=3600"}, "Content-Type": {"text/plain"}, "Etag": {`"v1"`}, "Date": {now.UTC().Format(http.TimeFormat)}}
	rules := policy.DefaultRules()
	stored, _ := policy.Admit(policy.NewRequest("GET", http.Header{}), &policy.Response{Status: 200, Fields: h}, policy.Times{Requested: now, Received: now}, &rules)
	e := &Entry{Stored: stored, Fields: entryFields(stored, h), Body: NewBody(body)}
	f.store.Update(key, func(Kept, bool) cache.Change[Kept] { return f.change(key, []*Entry{e}) })
}

// intact is how many of n entries are there; what is there must be whole.
func intact(t testing.TB, f *Fetcher, n, size int) (there int) {
	for i := range n {
		r, _ := f.Lookup(keyOf(i))
		if r == nil {
			continue
		}
		require.True(t, content(r.Entries[0].Body) == string(contentOf(i, size)), "entry %d", i)
		there++
	}
	return there
}

// A file that is cut off or damaged anywhere loses what is hit and nothing else, and
// says how much.
func TestDamageIsCounted(t *testing.T) {
	const n, size = 200, 500
	in := snapshotOf(t, n, size)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		damaged := bytes.Clone(in)
		flips := 1 + r.IntN(5)
		for range flips {
			damaged[128+r.IntN(len(in)-128)] ^= 1 << r.IntN(8)
		}
		end := len(in)
		if r.IntN(3) == 0 {
			end = 128 + r.IntN(len(in)-128)
		}
		store, f := filled(t, 0, size, cache.GDSF)
		got := load(t, f, damaged[:end])
		there := intact(t, f, n, size)
		require.EqualValues(t, there, got.Entries)
		require.EqualValues(t, n, got.Entries+got.Lost, "%+v", got)
		if end == len(in) {
			require.LessOrEqual(t, got.Lost, int64(flips))
		}
		f.Close()
		store.Close()
	}
}

// Saving takes a few buffers, and no second copy of the cache.
func TestSavingTakesFewBuffers(t *testing.T) {
	for _, engine := range cache.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			store, f := filled(t, 500, 100_000, engine) // 50 MB
			defer store.Close()
			defer f.Close()
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			saved, err := f.Save(io.Discard)
			require.NoError(t, err)
			runtime.ReadMemStats(&after)
			require.Greater(t, saved.Bytes, int64(49_000_000))
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20), "all that was allocated on the way")
		})
	}
}

// Saving beside traffic: what is saved is whole, and no writer waits for it.
func TestSnapshotUnderLoad(t *testing.T) {
	const n, size = 2000, 300
	for _, engine := range cache.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			store, f := filled(t, n, size, engine)
			defer store.Close()
			defer f.Close()
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for i := 0; ; i = (i + 1) % n {
					select {
					case <-stop:
						return
					default:
					}
					if i%3 == 0 {
						f.Invalidate(keyOf(i))
					}
					putEntry(f, keyOf(i), contentOf(i, size))
				}
			}()
			var in []byte
			for range 5 {
				in = snap(t, f)
				load(t, f, in)
			}
			close(stop)
			<-done
			other, g := filled(t, 0, size, engine)
			other.Resize(store.Stats().MaxCost)
			defer other.Close()
			defer g.Close()
			got := load(t, g, in)
			assert.Zero(t, got.Lost)
			assert.Zero(t, got.Invalid)
			assert.EqualValues(t, intact(t, g, n, size), got.Entries)
			assert.Greater(t, got.Entries, int64(n*9/10))
		})
	}
}

func FuzzLoad(f *testing.F) {
	in := snapshotOf(f, 3, 100)
	f.Add(in)
	f.Add(in[:200])
	f.Fuzz(func(t *testing.T, b []byte) {
		store, fetcher := filled(t, 0, 1000, cache.GDSF)
		defer store.Close()
		defer fetcher.Close()
		_, _ = fetcher.Load(bytes.NewReader(b), nil)
	})
}

func BenchmarkSnapshot(b *testing.B) {
	for _, tc := range []struct{ n, size int }{{100_000, 1000}, {10_000, 50_000}} {
		store, f := filled(b, tc.n, tc.size, cache.Ristretto)
		in := snap(b, f)
		b.Run(fmt.Sprintf("Save/%d", tc.size), func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for range b.N {
				_, err := f.Save(io.Discard)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(tc.n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
		f.Close()
		store.Close()
		for _, engine := range cache.Engines() {
			b.Run(fmt.Sprintf("Load/%s/%d", engine, tc.size), func(b *testing.B) {
				b.SetBytes(int64(len(in)))
				for range b.N {
					b.StopTimer()
					store, f := filled(b, 0, tc.size, engine)
					store.Resize(int64(tc.n) * int64(tc.size+10_000))
					b.StartTimer()
					got := load(b, f, in)
					require.EqualValues(b, tc.n, got.Entries)
					f.Close()
					store.Close()
				}
				b.ReportMetric(float64(tc.n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			})
		}
	}
}
