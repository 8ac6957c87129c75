package load

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/report"
)

func TestParseStat(t *testing.T) {
	line := "42 (a) b) S 7 42 42 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 1 0 12345 1000000 250 18446744073709551615 0"
	p, err := parseStat(line)
	require.NoError(t, err)
	assert.Equal(t, process{parent: 7, cpu: 1100 * time.Millisecond, pages: 250}, p)
	for _, bad := range []string{"", "42 (x", "42 (x) S 1 2", strings.Replace(line, " 33 ", " many ", 1)} {
		_, err := parseStat(bad)
		assert.Error(t, err, bad)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("42 (a) b) S 7 42 42 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 1 0 12345 1000000 250 1 0")
	f.Fuzz(func(t *testing.T, line string) { _, _ = parseStat(line) })
}

func TestParsePss(t *testing.T) {
	kib, err := parsePss([]byte("00400000-7ff ---p 0 [rollup]\nRss:  900 kB\nPss:  123 kB\n"))
	require.NoError(t, err)
	assert.Equal(t, int64(123), kib)
	_, err = parsePss([]byte("Rss: 1 kB\n"))
	assert.Error(t, err)
}

func TestTreeHasItsBranches(t *testing.T) {
	// A shell that waits for another program.
	cmd := exec.Command("sh", "-c", "echo ready; cat; true")
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		input.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	_, err = output.Read(make([]byte, 1))
	require.NoError(t, err)
	alone, err := watchTree(cmd.Process.Pid)
	require.NoError(t, err)
	assert.Positive(t, alone.rss)
	ours, err := watchTree(os.Getpid())
	require.NoError(t, err)
	assert.Greater(t, ours.rss, alone.rss, "it is one of our branches")
	assert.GreaterOrEqual(t, ours.cpu, alone.cpu)
}

func TestProcessThatIsNotThere(t *testing.T) {
	_, err := watchTree(1 << 30)
	assert.ErrorContains(t, err, "process 1073741824")
	o := Options{
		Target: target(broken(t)), Source: always("/fine"), Connections: 1, Timeout: time.Second, Measured: Part{Requests: 1}, PID: 1 << 30,
	}
	_, err = Run(t.Context(), o)
	assert.ErrorContains(t, err, "process 1073741824", "before anything is sent")
}

func TestRunWatchesAProcess(t *testing.T) {
	r, err := Run(t.Context(), Options{
		Target: target(broken(t)), Source: always("/fine"), Connections: 1, Timeout: 5 * time.Second,
		Measured: Part{Requests: 100}, PID: os.Getpid(), Bound: report.Bound{Name: "size", Bytes: 1 << 20},
	})
	require.NoError(t, err)
	require.NotNil(t, r.Watched)
	assert.Positive(t, r.Watched.FirstRSS)
	assert.GreaterOrEqual(t, r.Watched.MostRSS, r.Watched.LastRSS)
	assert.Equal(t, report.Bound{Name: "size", Bytes: 1 << 20}, r.Watched.Bound)
	assert.Positive(t, r.Series[len(r.Series)-1].RSS)
	assert.Positive(t, r.Driver.CPU)
}
