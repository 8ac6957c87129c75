package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

// patience bounds every wait for a process; only a broken one uses it up.
const patience = 20 * time.Second

// child is a started process whose standard error is kept.
type child struct {
	cmd    *exec.Cmd
	stderr *output
	exited chan struct{} // closed when the process has ended
}

func startChild(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, stderr: &output{}, exited: make(chan struct{})}
	cmd.Stderr = c.stderr
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // the exit code is in cmd.ProcessState
		close(c.exited)
	}()
	return c, nil
}

func (c *child) running() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// waitListening polls addr until somebody accepts there.
func (c *child) waitListening(addr string) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return conn.Close()
		}
		if !c.running() {
			return fmt.Errorf("%s exited with code %d:\n%s", c.cmd.Path, c.cmd.ProcessState.ExitCode(), c.stderr)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("%s does not listen on %s:\n%s", c.cmd.Path, addr, c.stderr)
}

// end sends sig, waits, and gives the exit code. It kills a process that does not obey.
func (c *child) end(sig os.Signal) (int, error) {
	if c.running() {
		_ = c.cmd.Process.Signal(sig) // it may end by itself meanwhile
	}
	select {
	case <-c.exited:
		return c.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.exited
		return -1, fmt.Errorf("%s did not end after %v; killed:\n%s", c.cmd.Path, sig, c.stderr)
	}
}

// output collects what a process writes while tests read it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// freeAddr gives a loopback address on which nobody listens now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
