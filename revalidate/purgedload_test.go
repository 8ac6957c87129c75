package revalidate

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
)

// What is purged while a snapshot is loaded does not come back with it, though nothing
// of it was stored yet.
func TestPurgedWhileLoading(t *testing.T) {
	const n, size = 1000, 1000
	in := snapshotOf(t, n, size)
	for name, m := range map[string]purge.Mark{
		"all":        {Kind: purge.Everything},
		"by host":    {Kind: purge.Host, Value: "site.test"},
		"soft":       {Kind: purge.Everything, Soft: true},
		"by one URL": {Kind: purge.URL, Value: keyOf(n - 1)},
	} {
		t.Run(name, func(t *testing.T) {
			store, f := filled(t, 0, size, cache.GDSF)
			defer store.Close()
			defer f.Close()
			store.Resize(n * 10_000)
			half := len(in) / 2
			between := readerFunc(func([]byte) (int, error) {
				_, complete := f.Purge([]purge.Mark{m}, nil).Wait(t.Context())
				require.True(t, complete)
				return 0, io.EOF
			})
			_, err := f.Load(io.MultiReader(bytes.NewReader(in[:half]), between, bytes.NewReader(in[half:])), nil)
			require.NoError(t, err)
			switch there := intact(t, f, n, size); {
			case m.Kind == purge.URL:
				assert.Equal(t, n-1, there)
			case m.Soft:
				assert.Equal(t, n, there)
				for i := range n {
					_, stored := f.Lookup(keyOf(i))
					assert.NotEqual(t, policy.Serve, policy.Judge(policy.NewRequest("GET", http.Header{}), stored, time.Now()).Action)
				}
			default:
				assert.Zero(t, there)
			}
			assert.Nil(t, f.marks.Load().set, "the mark ends with the load")
		})
	}
}

// What was purged before a snapshot is begun is not in it, though it is swept for only
// while the snapshot is written.
func TestPurgedBeforeSaving(t *testing.T) {
	const n, size = 1000, 1000
	for _, engine := range cache.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			store, f := filled(t, n, size, engine)
			defer store.Close()
			defer f.Close()
			f.writes.RLock() // the sweep waits
			purged := f.Purge([]purge.Mark{{Kind: purge.Host, Value: "site.test"}}, nil)
			for i := range n { // so that there is something to write
				putEntry(f, fmt.Sprint("http://other.test/", i), contentOf(i, size))
			}
			store.Flush()
			swept := sync.OnceFunc(func() {
				f.writes.RUnlock()
				_, complete := purged.Wait(t.Context())
				require.True(t, complete)
				require.Nil(t, f.marks.Load().set)
			})
			var out bytes.Buffer
			_, err := f.Save(writerFunc(func(b []byte) (int, error) {
				if out.Len() > size {
					swept()
				}
				return out.Write(b)
			}))
			require.NoError(t, err)
			swept()
			again, loading := filled(t, 0, size, cache.GDSF)
			defer again.Close()
			defer loading.Close()
			again.Resize(n * 10_000)
			load(t, loading, out.Bytes())
			assert.Zero(t, intact(t, loading, n, size))
			_, stored := loading.Lookup("http://other.test/1")
			assert.NotEmpty(t, stored, "what no mark hits is there")
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
