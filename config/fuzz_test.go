package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse holds that no input panics, and that what is valid prints and loads
// back to the same valid configuration.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		names, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, name := range names {
			data, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("fuzz.yaml", data)
		if err != nil {
			return
		}
		_ = c.AllRoutes()
		if c.Validate() != nil {
			return
		}
		var b bytes.Buffer
		require.NoError(t, c.Print(&b, true))
		back, err := Parse("printed.yaml", b.Bytes())
		require.NoError(t, err, b.String())
		require.Equal(t, values(c), values(back), b.String())
		require.NoError(t, back.Validate(), b.String())
	})
}
