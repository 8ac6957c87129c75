// Package witness is an origin for tests that writes down what it is asked. It reads
// by a grammar that has no slack: what any other origin could read differently is a
// fault to it.
package witness

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Origin listens on a port of this machine.
type Origin struct {
	Addr string // host and port

	listener net.Listener
	answer   func(*Asked) string
	running  sync.WaitGroup

	mu     sync.Mutex
	asked  []*Asked // in the order of their ends
	faults []string
}

// Listen starts an origin that gives the answers that it is told, byte for byte; "" is none,
// ever.
func Listen(t testing.TB, answer func(*Asked) string) *Origin {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := &Origin{Addr: ln.Addr().String(), listener: ln, answer: answer}
	o.running.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			o.running.Go(func() { o.serve(nc) })
		}
	})
	return o
}

// Close waits until all connections have been ended by the other side.
func (o *Origin) Close() {
	o.listener.Close()
	o.running.Wait()
}

// All returns what the origin got, and what was wrong with it.
func (o *Origin) All() (all []*Asked, faults []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.asked), slices.Clone(o.faults)
}

func (o *Origin) serve(nc net.Conn) {
	defer nc.Close()
	br := bufio.NewReader(nc)
	for {
		a, err := read(br)
		o.mu.Lock()
		switch {
		case err == nil:
			o.asked = append(o.asked, a)
		case !errors.Is(err, errCutOff):
			o.faults = append(o.faults, err.Error())
		}
		o.mu.Unlock()
		if err != nil {
			return
		}
		answer := o.answer(a)
		if answer == "" {
			_, _ = io.Copy(io.Discard, br)
			return
		}
		if _, err := io.WriteString(nc, answer); err != nil {
			return
		}
	}
}

// Asked is a request that the origin got.
type Asked struct {
	Method, Target string
	Fields         [][2]string // as they were written; those of a trailer with "trailer " before the name
	Body           string
}

// Values returns the lines of a field.
func (a *Asked) Values(name string) (lines []string) {
	for _, f := range a.Fields {
		if strings.EqualFold(f[0], name) {
			lines = append(lines, f[1])
		}
	}
	return lines
}

// ours are the fields that every request from the proxy has, or that frame it.
var ours = []string{
	"Host", "Via", "Cdn-Loop", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
	"Content-Length", "Transfer-Encoding",
}

// String writes a request down: GET a.example /path {Field: value} "content". It
// leaves out what the proxy says of itself.
func (a *Asked) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s %s", brief(a.Method), brief(a.Values("Host")[0]), brief(a.Target))
	for _, f := range a.Fields {
		if !slices.Contains(ours, http.CanonicalHeaderKey(f[0])) {
			fmt.Fprintf(&s, " {%s: %s}", brief(f[0]), brief(f[1]))
		}
	}
	if a.Body != "" {
		fmt.Fprintf(&s, ` "%s"`, brief(a.Body))
	}
	return s.String()
}

// brief writes in ASCII, and shortens what is very long.
func brief(s string) string {
	quoted := strconv.QuoteToASCII(s)
	quoted = quoted[1 : len(quoted)-1]
	if len(quoted) <= 100 {
		return quoted
	}
	return fmt.Sprintf("%s... (%d)", quoted[:10], len(s))
}
