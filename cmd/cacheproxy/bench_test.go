package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/testorigin"
)

// TestBenchExitStatus: a file that cannot be read is no wrong usage, whichever
// flag or argument names it.
func TestBenchExitStatus(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("prose.txt", []byte("Dear diary,\n"), 0o600))
	for _, tc := range []struct {
		args string
		want int
		says string
	}{
		{"https://127.0.0.1:1 --ca missing.pem", exitFailed, "--ca: open missing.pem"},
		{"https://127.0.0.1:1 --ca prose.txt", exitFailed, "--ca: prose.txt holds no certificate"},
		{"--trace missing.log", exitFailed, "missing.log"},
		{"--trace prose.txt", exitFailed, "prose.txt: none of the first lines can be read"},
		{"--json missing/a.json", exitFailed, "missing: no such file"},
		{"--html missing/a.html", exitFailed, "missing: no such file"},
		{"compare a.json b.json", exitFailed, "a.json: no such file"},
		{"--compare a.json b.json", exitFailed, "a.json: no such file"},
		{"size missing.log", exitFailed, "missing.log: no such file"},
		{"size", exitUsage, "Run 'cacheproxy bench size --help' for usage."},
		{"compare a.json", exitUsage, "Run 'cacheproxy bench compare --help' for usage."},
		{"--trace missing.log --seed 5", exitUsage, "Run 'cacheproxy bench --help' for usage."},
		{"--orign", exitUsage, "Run 'cacheproxy bench --help' for usage."},
		{"--warmup soon", exitUsage, "--warmup"},
		{"localhost", exitUsage, "is not a target"},
		{"--workload wbe", exitUsage, "--workload"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			var stderr bytes.Buffer
			code := run(t.Context(), append([]string{"bench"}, strings.Fields(tc.args)...), os.LookupEnv, io.Discard, &stderr)
			assert.Equal(t, tc.want, code)
			assert.Contains(t, stderr.String(), tc.says)
			assert.Equal(t, tc.want == exitUsage, strings.Contains(stderr.String(), "for usage."), stderr.String())
		})
	}
}

// TestTraceTellsStrangersNothing: fields that are for the built-in origin are
// sent only when it is there.
func TestTraceTellsStrangersNothing(t *testing.T) {
	log := filepath.Join(t.TempDir(), "access.log")
	line := `a.example 192.0.2.7 - - [29/Feb/2024:13:14:15 +0100] "GET /a HTTP/1.1" 200 400 "-" "-"` + "\n"
	require.NoError(t, os.WriteFile(log, []byte(line), 0o600))
	origin, err := testorigin.New(testorigin.Options{})
	require.NoError(t, err)
	var mu sync.Mutex
	var asked []*http.Request
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/bench/") {
			mu.Lock()
			asked = append(asked, r)
			mu.Unlock()
		}
		origin.ServeHTTP(w, r)
	}))
	defer site.Close()
	for _, tc := range []struct {
		flags []string
		told  bool
	}{
		{nil, false},
		{[]string{"--origin-stats", site.URL}, true},
		{[]string{"--origin-listen", "127.0.0.1:0", "--check=false"}, true},
	} {
		mu.Lock()
		asked = nil
		mu.Unlock()
		var stderr bytes.Buffer
		args := append([]string{"bench", site.URL, "--trace", log}, tc.flags...)
		require.Equal(t, 0, run(t.Context(), args, os.LookupEnv, io.Discard, &stderr), stderr.String())
		mu.Lock()
		require.Len(t, asked, 1, tc.flags)
		assert.Equal(t, "a.example", asked[0].Host)
		for _, name := range []string{testorigin.SizeField, testorigin.HostField} {
			assert.Equal(t, tc.told, asked[0].Header.Get(name) != "", "%s with %v", name, tc.flags)
		}
		mu.Unlock()
	}
}

// TestLongLinesOfOurProxy: where it listens is found after a long line, and a
// line that is too long does not keep the proxy from ending.
func TestLongLinesOfOurProxy(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	for _, tc := range []struct {
		length int
		found  bool
	}{
		{longestLine / 2, true},
		{2 * longestLine, false},
	} {
		cmd := exec.Command(program, "version")
		cmd.Args[0] = "cacheproxy"
		require.NoError(t, cmd.Start())
		c := &child{cmd: cmd, over: make(chan struct{})}
		listens := make(chan string, 1)
		log := strings.NewReader(strings.Repeat("x", tc.length) + "\nlevel=INFO msg=serving on=127.0.0.1:5\n")
		c.read(log, listens, io.Discard)
		assert.Equal(t, tc.found, len(listens) == 1)
		assert.Zero(t, log.Len(), "all is read")
	}
}
