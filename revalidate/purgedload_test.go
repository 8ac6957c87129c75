package revalidate

import (
	"bytes"
	"io"
	"net/http"
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
