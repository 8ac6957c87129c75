package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoundTrip(t *testing.T) {
	for name, r := range map[string]*Run{"full": sample(t), "bare": bare()} {
		file := filepath.Join(t.TempDir(), name+".json")
		require.NoError(t, Save(file, r))
		back, err := Read(file)
		require.NoError(t, err)
		assert.Equal(t, r, back)
	}
}

func TestFilesThatAreNoResult(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.json")
	require.NoError(t, Save(good, sample(t)))
	text, err := os.ReadFile(good)
	require.NoError(t, err)
	histogram := sample(t).Hits.Histogram
	for name, tc := range map[string]struct{ text, want string }{
		"no JSON":          {"hello", "want the file of --json"},
		"other JSON":       {`{"requests": 5}`, "version 0 of the format, want 1"},
		"another version":  {strings.Replace(string(text), `"version": 1`, `"version": 99`, 1), "version 99 of the format, want 1"},
		"broken histogram": {strings.Replace(string(text), histogram, histogram[:20], 1), "histogram of latencies"},
		"cut off":          {string(text[:len(text)/2]), "want the file of --json"},
	} {
		file := filepath.Join(t.TempDir(), "bad.json")
		require.NoError(t, os.WriteFile(file, []byte(tc.text), 0o600))
		_, err := Read(file)
		assert.ErrorContains(t, err, tc.want, name)
		assert.ErrorContains(t, err, file, name)
	}
	_, err = Read(filepath.Join(t.TempDir(), "missing.json"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzRead: whatever a file holds, what was read can be shown.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"version": 1, "series": [{"end_s": -1}, {"end_s": 1e308, "rss": -5}], "measured_s": 1e-300}`))
	f.Add([]byte(`{"version": 1, "statuses": [{"name": ""}], "results": [{"name": "hit"}], "hit_ratio_by_fields": {}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(dir, "run.json")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		r, err := Read(file)
		if err != nil {
			return
		}
		assert.NoError(t, r.Text(&strings.Builder{}))
		var page strings.Builder
		if assert.NoError(t, r.Page(&page)) {
			assert.NotContains(t, page.String(), "NaN")
		}
	})
}
