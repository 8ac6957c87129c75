package revalidate

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
)

// BenchmarkFootprint fills a store with entries of 1 KiB, 1,000,000 unless
// FOOTPRINT_ENTRIES says otherwise, and reports what each takes beyond its key,
// fields and content: of the heap, and of resident memory after a collection. Run
// it by itself, once:
//
//	go test -run '^$' -bench Footprint -benchtime 1x ./revalidate
func BenchmarkFootprint(b *testing.B) {
	n := 1_000_000
	if s := os.Getenv("FOOTPRINT_ENTRIES"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	fields := []string{
		"Cache-Control: max-age=3600", "Content-Type: text/html; charset=utf-8", "Date: Mon, 02 Jan 2006 15:04:05 GMT",
		`Etag: "0123456789-#"`, "Last-Modified: Mon, 02 Jan 2006 15:04:05 GMT", "Server: nginx",
	}
	body := make([]byte, 1024)
	for _, engine := range cache.Engines() {
		b.Run(string(engine), func(b *testing.B) {
			for b.Loop() {
				footprint(b, engine, n, body, fields)
			}
		})
	}
}

func footprint(b *testing.B, engine cache.Engine, n int, body []byte, fields []string) {
	debug.FreeOSMemory()
	heapBefore, residentBefore := heap(), resident(b)
	store, err := cache.New[Kept](cache.Options{MaxCost: int64(n) * 2000, Engine: engine})
	require.NoError(b, err)
	defer store.Close()
	f := New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4})
	defer f.Close()
	var bytes, cost int64
	for i := range n {
		e := made(b, i, body, true, nil, fields)
		key := fmt.Sprintf("http://www.example.com/a/path/of/usual/length/%d.html", i)
		c := f.change(key, []*Entry{e})
		bytes += int64(len(key) + len(e.Fields) + len(body))
		cost += c.Cost
		require.True(b, store.Set(key, c.Value, c.Cost, c.TTL))
		if i%1000 == 0 {
			store.Flush()
		}
	}
	store.Flush()
	debug.FreeOSMemory()
	require.EqualValues(b, n, store.Stats().Entries)
	each := func(total int64) float64 { return float64(total-bytes) / float64(n) }
	b.ReportMetric(each(heap()-heapBefore), "heap-B/entry-beyond-its-bytes")
	b.ReportMetric(each(resident(b)-residentBefore), "resident-B/entry-beyond-its-bytes")
	b.ReportMetric(each(cost), "counted-B/entry-beyond-its-bytes")
	b.ReportMetric(float64(bytes)/float64(n), "its-bytes")
	runtime.KeepAlive(f)
}

// resident returns the resident memory of this process, 0 where it is not known.
func resident(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	var kib int64
	_, err = fmt.Sscan(rest, &kib)
	require.NoError(b, err)
	return kib << 10
}
