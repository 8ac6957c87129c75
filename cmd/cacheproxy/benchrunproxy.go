package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTime is how long our proxy may take until it listens.
const startTime = 20 * time.Second

// longestLine of the proxy's log that is read, in bytes.
const longestLine = 1 << 20

// child is a proxy of ours in a process of its own, so that what it takes can be
// told from what the driver takes.
type child struct {
	cmd   *exec.Cmd
	flags []string
	addr  string        // where it listens
	over  chan struct{} // closed when it has ended

	mu     sync.Mutex
	ending bool
	last   string // complaint
	err    error  // of Wait
}

// serving is the line of the log that says where a proxy listens.
var serving = regexp.MustCompile(`msg=serving on=(\S+)`)

// startProxy starts this program as a proxy and waits until it listens. What it
// warns of is passed on.
func startProxy(ctx context.Context, flags []string, warnings io.Writer) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("our own proxy: %w", err)
	}
	c := &child{cmd: exec.Command(program, flags...), flags: append([]string{"cacheproxy"}, flags...), over: make(chan struct{})}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CACHEPROXY_") { // the report says all that was set
			c.cmd.Env = append(c.cmd.Env, e)
		}
	}
	c.cmd.Args[0] = os.Args[0] // called as we were called
	ownGroup(c.cmd)
	log, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("our own proxy: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("our own proxy: %w", err)
	}
	listens := make(chan string, 1)
	go c.read(log, listens, warnings)
	select {
	case c.addr = <-listens:
		return c, nil
	case <-c.over:
		return nil, c.trouble()
	case <-ctx.Done():
		c.end()
		return nil, context.Cause(ctx)
	case <-time.After(startTime):
		c.end()
		return nil, fmt.Errorf("our own proxy does not listen after %s: %s", startTime, c.complaint())
	}
}

// read reads the log of the proxy until its end, and then waits for it.
func (c *child) read(log io.Reader, listens chan<- string, warnings io.Writer) {
	defer close(c.over)
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		text := lines.Text()
		if m := serving.FindStringSubmatch(text); m != nil {
			select {
			case listens <- m[1]:
			default:
			}
		}
		if strings.Contains(text, "level=WARN") || strings.Contains(text, "level=ERROR") {
			fmt.Fprintf(warnings, "proxy: %s\n", text)
		}
		c.mu.Lock()
		if !strings.Contains(text, "level=INFO") && !strings.HasPrefix(text, "Run 'cacheproxy") {
			c.last = text
		}
		c.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, log) // after a line too long, so that the proxy need not wait for us
	err := c.cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *child) complaint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// trouble is why the proxy ended without having been told to.
func (c *child) trouble() error {
	select {
	case <-c.over:
	default:
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return nil
	}
	err := c.err
	if err == nil {
		err = errors.New("it ended")
	}
	if c.last == "" {
		return fmt.Errorf("our own proxy: %w", err)
	}
	return fmt.Errorf("our own proxy: %w: %s", err, strings.TrimPrefix(c.last, "cacheproxy: "))
}

// end ends the proxy: in good order if that takes less than two seconds.
func (c *child) end() {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
	select {
	case <-c.over:
	case <-time.After(2 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.over
	}
}
