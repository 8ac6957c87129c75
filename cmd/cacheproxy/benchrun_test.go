package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/report"
	"cacheproxy/bench/testorigin"
)

// TestFieldsAndOriginAgree tests our own proxy in a process of its own under a
// load of many connections. Whatever is hit, missed or collapsed, the fields of
// the responses add up to exactly what the origin was asked.
func TestFieldsAndOriginAgree(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program, "bench", "-n", "3000", "--warmup", "500", "-c", "16", "--json", file, "--cache-size", "8MiB",
		"-w", "objects=2000,sizes=uniform:1-30000,once=0.05,drift=0.2/1000,hosts=3")
	cmd.Args[0] = "cacheproxy"
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	r, err := report.Read(file)
	require.NoError(t, err)
	require.Equal(t, int64(3000), r.Answered)
	require.NotNil(t, r.ByFields)
	require.NotNil(t, r.Origin)
	var saved report.Result
	for _, result := range r.Results {
		if result.Name == "hit" || result.Name == "stale" || result.Name == "collapsed" {
			saved.Requests += result.Requests
			saved.Bytes += result.Bytes
		}
	}
	assert.Equal(t, r.Answered-r.Origin.Requests, saved.Requests, "%s", out)
	assert.Equal(t, r.Bytes-r.Origin.Bytes, saved.Bytes, "%s", out)
	assert.InDelta(t, r.Origin.Ratio.Requests, r.ByFields.Requests, 1e-12)
	assert.InDelta(t, r.Origin.Ratio.Bytes, r.ByFields.Bytes, 1e-12)
	assert.Greater(t, r.ByFields.Requests, 0.0)
	assert.Less(t, r.ByFields.Requests, 1.0)
	assert.True(t, r.Load.Checked)
	require.NotNil(t, r.Watched)
	assert.Positive(t, r.Watched.MostRSS)
	assert.Contains(t, r.Environment.Proxy, "8MiB")
	assert.Equal(t, []string{"cacheproxy", "bench", "-n"}, r.Command[:3])
}

// interruptible runs a bench against a built-in origin and returns when its first
// requests have been answered. result waits for its exit code.
func interruptible(t *testing.T, latency time.Duration, stdout, stderr *bytes.Buffer) (result func() int) {
	origin, err := testorigin.Listen("127.0.0.1:0", testorigin.Options{Latency: latency})
	require.NoError(t, err)
	t.Cleanup(func() { origin.Close() })
	code := make(chan int, 1)
	args := []string{"bench", origin.URL(), "--origin-stats", origin.URL(), "-d", "1h", "--warmup", "0s", "--timeout", "10m", "-c", "2"}
	go func() { code <- run(t.Context(), args, os.LookupEnv, stdout, stderr) }()
	for asked := time.Now(); time.Since(asked) < 20*time.Second && origin.Counters().Requests == 0 && latency == 0; {
		time.Sleep(time.Millisecond)
	}
	return func() int { return <-code }
}

func interrupt(t *testing.T) {
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
}

func TestCtrlCEndsWithAReport(t *testing.T) {
	var stdout, stderr bytes.Buffer
	result := interruptible(t, 0, &stdout, &stderr)
	interrupt(t)
	assert.Equal(t, 0, result(), stderr.String())
	assert.Contains(t, stdout.String(), "It was stopped before its end.")
	assert.Contains(t, stdout.String(), "as the origin counts")
}

// TestSecondCtrlCEndsAtOnce: the first one would wait for answers that take minutes.
func TestSecondCtrlCEndsAtOnce(t *testing.T) {
	ours := make(chan os.Signal, 1) // so that one that comes too early or too late is not our end
	signal.Notify(ours, os.Interrupt)
	defer signal.Stop(ours)
	var stdout, stderr bytes.Buffer
	result := interruptible(t, 5*time.Minute, &stdout, &stderr)
	over := make(chan struct{})
	go func() {
		defer close(over)
		assert.Equal(t, exitFailed, result())
	}()
	for ended := false; !ended; {
		interrupt(t)
		select {
		case <-over:
			ended = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	assert.Empty(t, stdout.String())
	assert.Contains(t, stderr.String(), "interrupted")
}
