//go:build linux

package soak

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// slow is a client that takes its time: for its head, and then for the answer, but
// stays within what the proxy allows.
func (c *client) slow() {
	key := c.IntN(largeKeys)
	q := question{kind: "slow GET", origin: c.steady, method: http.MethodGet, path: fmt.Sprintf("/large/%d", key)}
	e := c.ledger.begin()
	defer c.ledger.end(e)
	conn, err := net.DialTimeout("tcp", c.proxy.Addr, patience)
	if err != nil {
		c.failed(q, e, err.Error())
		return
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	_ = conn.SetDeadline(time.Now().Add(patience))
	head := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\nConnection: close\r\n\r\n", q.path, q.origin.name, idField, e.id)
	for len(head) > 0 && err == nil {
		n := min(len(head), 1+c.IntN(40))
		_, err = io.WriteString(conn, head[:n])
		head = head[n:]
		time.Sleep(100 * time.Millisecond)
	}
	var resp *http.Response
	if err == nil {
		resp, err = http.ReadResponse(bufio.NewReader(conn), nil)
	}
	if err != nil {
		c.failed(q, e, err.Error())
		return
	}
	body, err := io.ReadAll(&slowReader{from: resp.Body})
	switch {
	case err != nil:
		c.failed(q, e, fmt.Sprintf("%s, and its body broke off after %d bytes: %s", resp.Status, len(body), err))
	case resp.StatusCode != http.StatusOK:
		c.failed(q, e, resp.Status)
	case string(body) != large(key):
		c.wrong(q, resp.Header, string(body))
	default:
		c.tally.good(c.way.name, q.kind, resp.Header.Get("Cache-Status"), time.Since(e.start))
	}
}

// slowReader takes 100 KiB in a tenth of a second.
type slowReader struct {
	from io.Reader
	got  int
}

func (s *slowReader) Read(p []byte) (int, error) {
	if s.got >= 100<<10 {
		s.got = 0
		time.Sleep(100 * time.Millisecond)
	}
	n, err := s.from.Read(p)
	s.got += n
	return n, err
}
