//go:build linux

package rig

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience bounds every wait for a process; only a broken one uses it up.
const Patience = 30 * time.Second

// Process is a child of the test. It is killed when the test ends, if it still runs.
type Process struct {
	cmd    *exec.Cmd
	out    output
	exited chan struct{} // closed when the process has ended
}

// Start starts a command, without the settings of cacheproxy that the caller's
// environment may have.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CACHEPROXY_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that was killed leaves nothing behind
	require.NoError(t, cmd.Start())
	go func() {
		_ = cmd.Wait() // the exit code is in cmd.ProcessState
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails when it has ended
		<-p.exited
		if t.Failed() {
			t.Logf("what %s said at last:\n%s", cmd.Path, p.Said())
		}
	})
	return p
}

// Self starts the test binary anew with one more variable in its environment, by
// which its TestMain knows what to be.
func Self(t testing.TB, variable string) *Process {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program)
	cmd.Env = []string{variable}
	return Start(t, cmd)
}

// Said is the end of what the process wrote to its output and error output.
func (p *Process) Said() string { return p.out.String() }

// Signal sends a signal.
func (p *Process) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(sig))
}

// Running says whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Stop sends SIGTERM, and gives the exit code of the process.
func (p *Process) Stop() (int, error) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(Patience):
		return 0, fmt.Errorf("%s runs on %s after SIGTERM", p.cmd.Path, Patience)
	}
}

// WaitListening waits until somebody accepts at an address.
func (p *Process) WaitListening(t testing.TB, addr string) {
	t.Helper()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		require.True(t, p.Running(), "%s ended:\n%s", p.cmd.Path, p.Said())
	}
	require.FailNow(t, "nobody listens on "+addr, p.Said())
}

// output keeps the last of what was written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const kept = 64 << 10

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > kept {
		o.buf.Next(o.buf.Len() - kept/2)
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// PID of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }
