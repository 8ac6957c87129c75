package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// herd is a number of clients that are connected and wait for the word.
type herd struct {
	addr  string
	conns []net.Conn
}

// gather connects n clients.
func gather(ctx context.Context, addr string, n int) (*herd, error) {
	h := &herd{addr: addr}
	d := net.Dialer{Timeout: 5 * time.Second}
	for range n {
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			h.close()
			return nil, fmt.Errorf("client %d of %d: %w", len(h.conns)+1, n, err)
		}
		h.conns = append(h.conns, c)
	}
	return h, nil
}

func (h *herd) close() {
	for _, c := range h.conns {
		c.Close()
	}
}

// charge has all clients ask for path at once. An answer that is not 200, or
// not the content wanted, is bad. It takes 30 s at most.
func (h *herd) charge(path string, want []byte) load {
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, h.addr)
	took := make([]time.Duration, len(h.conns))
	errs := make([]error, len(h.conns))
	var ready, done sync.WaitGroup
	word := make(chan struct{})
	ready.Add(len(h.conns))
	for i, c := range h.conns {
		done.Go(func() {
			in := bufio.NewReaderSize(c, 4096)
			ready.Done()
			<-word
			from := time.Now()
			_ = c.SetDeadline(from.Add(30 * time.Second)) // fails only when c is closed, as does what follows
			errs[i] = ask(c, in, request, want)
			took[i] = time.Since(from)
		})
	}
	ready.Wait()
	from := time.Now()
	close(word)
	done.Wait()
	l := load{requests: int64(len(h.conns)), seconds: time.Since(from).Seconds()}
	for _, err := range errs {
		if err != nil {
			l.bad++
		}
	}
	slices.Sort(took)
	l.p50, l.p99 = took[len(took)/2], took[len(took)*99/100]
	return l
}

// ask sends a request and judges the answer.
func ask(out io.Writer, in *bufio.Reader, request, want []byte) error {
	if _, err := out.Write(request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("status %d", resp.StatusCode)
	case !bytes.Equal(got, want):
		return fmt.Errorf("%d bytes of content, not the %d of the origin", len(got), len(want))
	}
	return nil
}
