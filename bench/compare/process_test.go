//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func startScript(t *testing.T, script string) *process {
	all, err := affinity()
	require.NoError(t, err)
	p, err := startProcess("script", t.TempDir(), []string{"/bin/sh", "-c", script}, os.Environ(), all)
	require.NoError(t, err)
	t.Cleanup(p.stop)
	return p
}

// said waits for a line that a process writes.
func said(t *testing.T, p *process) string {
	line := ""
	require.NoError(t, p.awaitReady(t.Context(), func(context.Context) error {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		var whole bool
		if line, _, whole = strings.Cut(string(text), "\n"); !whole {
			return errors.New("it has not said it yet")
		}
		return nil
	}))
	return line
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	p := startScript(t, "sleep 1000 & echo $!; wait")
	child, err := strconv.Atoi(said(t, p))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(child, 0))
	p.stop()
	assert.ErrorIs(t, syscall.Kill(p.pid(), 0), syscall.ESRCH)
	assert.Eventually(t, func() bool {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/stat")
		return err != nil || strings.Contains(string(text), ") Z ") // gone, or dead and nobody has asked for it yet
	}, 10*time.Second, 10*time.Millisecond)
}

func TestAwaitReadyTellsLastWords(t *testing.T) {
	p := startScript(t, "echo the port is taken; exit 1")
	err := p.awaitReady(t.Context(), func(context.Context) error { return errors.New("nobody there") })
	assert.EqualError(t, err, "script has ended: the port is taken")

	p = startScript(t, "exit 1")
	err = p.awaitReady(t.Context(), func(context.Context) error { return errors.New("nobody there") })
	assert.EqualError(t, err, "script has ended: it said nothing")
}

func TestAwaitReadyEndsWithTheRun(t *testing.T) {
	p := startScript(t, "echo; sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := p.awaitReady(ctx, func(context.Context) error { return errors.New("nobody there") })
	assert.ErrorContains(t, err, "script is not ready: nobody there")
}

func TestStartOnPutsAProcessOnItsCPU(t *testing.T) {
	all, err := affinity()
	require.NoError(t, err)
	for _, cpu := range all.list() {
		p, err := startProcess("taskset", t.TempDir(), []string{"/bin/sh", "-c", "grep Cpus_allowed_list /proc/self/status; sleep 1000"}, os.Environ(), oneCPU(cpu))
		require.NoError(t, err)
		assert.Equal(t, "Cpus_allowed_list:\t"+strconv.Itoa(cpu), said(t, p))
		p.stop()
	}
	again, err := affinity()
	require.NoError(t, err)
	assert.Equal(t, all, again, "we stay where we are")
}

func TestCPUSet(t *testing.T) {
	s := oneCPU(3)
	s[1] = 1 << 6
	assert.Equal(t, []int{3, 70}, s.list())
}

func TestPortsAreFreeAndDifferent(t *testing.T) {
	var p ports
	a, err := p.take()
	require.NoError(t, err)
	b, err := p.take()
	require.NoError(t, err)
	assert.Less(t, a, b)
	p.next = 32000
	_, err = p.take()
	assert.ErrorContains(t, err, "no free port")
}
