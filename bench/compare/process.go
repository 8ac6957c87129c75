package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is something we started and will stop.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// startProcess runs a program in a group of its own; what it says goes to a
// file in dir.
func startProcess(name, dir string, argv, env []string, cpus cpuSet) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, log, log
	ownGroup(p.cmd)
	if err := startOn(p.cmd, cpus); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in the log
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to end, and after 5 s makes it and its group end.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	killGroup(p.cmd.Process)
	<-p.done
}

// awaitReady waits until probe succeeds: at most 15 s, and no longer than the
// process lives.
func (p *process) awaitReady(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s has ended: %s", p.name, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %s", p.name, err, p.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lastWords is the end of what the process said.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const most = 1000
	s := strings.TrimSpace(string(text))
	if s == "" {
		return "it said nothing"
	}
	return s[max(0, len(s)-most):]
}

// ports hands out loopback ports, each once. They lie below those that the
// kernel gives to outgoing connections, so nobody takes one before its server.
type ports struct{ next int }

func (p *ports) take() (int, error) {
	for p.next = max(p.next, 18000); p.next < 32000; {
		port := p.next
		p.next++
		ln, err := net.Listen("tcp", addr(port))
		if err == nil {
			return port, ln.Close()
		}
	}
	return 0, errors.New("no free port between 18000 and 32000")
}

func addr(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
