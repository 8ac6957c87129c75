//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be what this program starts again: the origin
// and the floors.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{originName, loopName, nethttpName}, os.Args[1]) {
		os.Exit(execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// fakes puts a wrk in the PATH that makes no load and tells of one, and returns
// a "build of ours" that answers hits with a constant.
func fakes(t *testing.T) string {
	told, err := filepath.Abs("testdata/wrk.txt")
	require.NoError(t, err)
	dir := filepath.Dir(program(t, "wrk", "cat "+told))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	self, err := os.Executable()
	require.NoError(t, err)
	return program(t, "ours", fmt.Sprintf(`
at=$2
case $1 in
--help) echo "--tls-listen ADDR";;
version) echo "ours 1.2";;
*) shift 10; exec %s nethttp --listen "$at" "$@";;
esac
`, self))
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	var out, errOut bytes.Buffer
	code := execute(t.Context(), []string{
		"--us", "mine=" + fakes(t), "--peers", "loop", "--scenarios", "hit,tls1", "--modes", "unpinned",
		"--rounds", "2", "--secs", "1", "--quiet", "0s", "--out", file,
	}, &out, &errOut)
	require.Equal(t, 0, code, errOut.String())

	runs, err := loadAll([]string{file})
	require.NoError(t, err)
	r := runs[0]
	var order []string
	for _, s := range r.Samples {
		order = append(order, fmt.Sprint(s.Round, s.Peer, s.Scenario))
		assert.Equal(t, int64(15169), s.Requests)
		assert.Equal(t, 1.01, s.Seconds)
		assert.Equal(t, 42.9, s.P99)
	}
	assert.Equal(t, []string{
		"1minehit", "1minetls1", "1loophit", "1looptls1",
		"2loophit", "2looptls1", "2minehit", "2minetls1",
	}, order, "the order of the peers turns")
	assert.Equal(t, []participant{{"mine", ours, "ours 1.2"}, {"loop", floor, r.Machine.Go}}, r.Peers)
	assert.Contains(t, out.String(), "| hit, 1 KiB | ")
	assert.Empty(t, leftovers(t))
}

func TestRunTellsWhatGoesWrong(t *testing.T) {
	var out, errOut bytes.Buffer
	// What answers hits with a constant does not pass; and what is told of 1 KiB is too little for 32 KiB.
	code := execute(t.Context(), []string{
		"--us", "mine=" + fakes(t), "--peers", "loop", "--scenarios", "hit,hit32k,pass", "--modes", "unpinned",
		"--rounds", "1", "--secs", "1", "--quiet", "0s",
	}, &out, &errOut)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out.String(), "answers have 1262 bytes, the object has 32768")
	assert.Contains(t, out.String(), "unpinned, round 1: mine: pass: ")
	assert.Contains(t, out.String(), "/nocache/1: status 404")
	assert.Contains(t, errOut.String(), "0 bad answers and 3 problems")
	assert.Empty(t, leftovers(t))
}

func TestRunCanBeBrokenOff(t *testing.T) {
	us := fakes(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	code := execute(ctx, []string{"--us", "mine=" + us, "--peers", "loop", "--scenarios", "hit", "--modes", "unpinned"}, &out, &errOut)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errOut.String(), "nothing was measured")
	assert.Empty(t, leftovers(t))
}

// leftovers are the directories of runs of this process that were not removed.
func leftovers(t *testing.T) (all []string) {
	for _, dir := range []string{"/dev/shm", os.TempDir()} {
		left, err := filepath.Glob(fmt.Sprintf("%s/cacheproxy-compare-%d-*", dir, os.Getpid()))
		require.NoError(t, err)
		all = append(all, left...)
	}
	return all
}

func TestAccount(t *testing.T) {
	all, err := affinity()
	require.NoError(t, err)
	cert := filepath.Join(t.TempDir(), "cert.pem")
	require.NoError(t, writeCert(cert, cert+".key", cert+".both"))
	client, err := newClient(cert)
	require.NoError(t, err)
	r := &run{dir: t.TempDir(), client: client, all: all}
	loop := known[slices.IndexFunc(known, func(p peer) bool { return p.name == loopName })]
	loop.tls = false
	p, err := r.start(t.Context(), loop, shares{proxy: all, load: all, workers: 1})
	require.NoError(t, err)
	t.Cleanup(p.stop)

	sm := sample{Scenario: "hit"}
	const n = 3000
	l, err := p.account(&sm, func() (load, time.Duration, error) {
		err := warm(t.Context(), &http.Client{Transport: client.Transport}, scenarios[1], p.base(plain), n)
		return load{requests: n, seconds: 1}, 0, err
	})
	require.NoError(t, err)
	assert.Equal(t, int64(n), l.requests)
	assert.Equal(t, int64(n), sm.Requests)
	assert.Positive(t, sm.CPU, "3,000 requests take more than a tick")
	p.proxy.stop()
	_, err = p.account(&sm, nil)
	assert.ErrorContains(t, err, "loop: process")
	assert.True(t, strings.HasSuffix(err.Error(), "it said nothing"), err)
}
