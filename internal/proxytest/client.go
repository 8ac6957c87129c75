package proxytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// client is a connection to the proxy and what was asked on it.
type client struct {
	conn net.Conn
	addr string // as the proxy sees it, another one for each connection

	mu      sync.Mutex
	asked   []*exchange
	current int // index of the first exchange without a complete answer
	closed  bool
}

// exchange is one request of a client and what came of it.
type exchange struct {
	c      *client
	number int // on its connection
	method string
	done   chan struct{} // closed at the end of the answer

	// Guarded by c.mu.
	reads    int        // take so much of the body and no more; -1 for all
	more     *sync.Cond // reads has changed
	interims []string
	version  string
	status   string
	header   http.Header
	body     []byte
	trailer  http.Header
	err      error
	ended    bool
}

// request is what a client sends, made of the columns before "expect".
type request struct {
	method, target, version string
	from                    string
	raw                     string
	fields                  []string
	noHost, chunked         bool
	body                    []byte
	trailer                 []string
	reads                   int
}

func newRequest(cols []string) (*request, error) {
	rq := &request{version: "HTTP/1.1", reads: -1}
	if raw, ok := strings.CutPrefix(cols[0], "raw "); ok {
		rq.method, rq.raw = "GET", escapes.Replace(raw)
		rq.method, _, _ = strings.Cut(rq.raw, " ")
	} else if rq.method, rq.target, ok = strings.Cut(cols[0], " "); !ok {
		return nil, fmt.Errorf("%q: want a method and a target, or raw text", cols[0])
	}
	for _, col := range cols[1:] {
		if err := rq.add(col); err != nil {
			return nil, err
		}
	}
	return rq, nil
}

func (rq *request) add(col string) (err error) {
	word, rest, _ := strings.Cut(col, " ")
	switch {
	case col == "http/1.0":
		rq.version = "HTTP/1.0"
	case col == "no host":
		rq.noHost = true
	case col == "chunked":
		rq.chunked = true
	case word == "from":
		rq.from = rest
	case word == "body":
		rq.body = append(rq.body, escapes.Replace(rest)...)
	case word == "trailer":
		rq.chunked = true
		rq.trailer = append(rq.trailer, rest)
	case word == "bytes", word == "reads":
		n, err := strconv.Atoi(rest)
		if err != nil {
			return fmt.Errorf("%q: want a number of bytes", col)
		}
		if word == "reads" {
			rq.reads = n
		} else {
			rq.body = append(rq.body, fill(0, int64(n))...)
		}
	default:
		if _, _, ok := field(col); !ok {
			return fmt.Errorf("client: cannot understand %q", col)
		}
		rq.fields = append(rq.fields, col)
	}
	return nil
}

// bytes returns the request as it is on the wire.
func (rq *request) bytes(w *world) []byte {
	if rq.raw != "" {
		return []byte(rq.raw)
	}
	lines := rq.fields
	if !rq.noHost && !hasField(lines, "host") {
		lines = append([]string{"Host: example.com"}, lines...)
	}
	switch {
	case rq.chunked:
		lines = append(lines, "Transfer-Encoding: chunked")
	case len(rq.body) > 0 && !hasField(lines, "content-length"):
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(rq.body)))
	}
	var b strings.Builder
	b.WriteString(rq.method + " " + w.expand(rq.target) + " " + rq.version + "\r\n" + w.expand(fieldLines(lines)) + "\r\n")
	_ = writeChunk(&b, rq.body, rq.chunked)
	if rq.chunked {
		b.WriteString("0\r\n" + w.expand(fieldLines(rq.trailer)) + "\r\n")
	}
	return []byte(b.String())
}

// ask sends a request; the answer is read in the background.
func (c *client) ask(rq *request, w *world) *exchange {
	x := &exchange{c: c, method: rq.method, reads: rq.reads, more: sync.NewCond(&c.mu), done: make(chan struct{})}
	c.mu.Lock()
	x.number = len(c.asked)
	c.asked = append(c.asked, x)
	if c.closed {
		x.end(io.ErrClosedPipe)
	}
	c.mu.Unlock()
	c.send(rq.bytes(w))
	return x
}

// send writes in the background, since the proxy may answer before it reads.
func (c *client) send(b []byte) {
	go func() { _, _ = c.conn.Write(b) }()
}

// last returns the latest exchange.
func (c *client) last() *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[len(c.asked)-1]
}

// receive reads answers until the connection ends.
func (c *client) receive() {
	br := bufio.NewReader(c.conn)
	for {
		start, h, err := readHead(br)
		c.mu.Lock()
		if err != nil || c.current >= len(c.asked) {
			c.closed = true
			for _, x := range c.asked[min(c.current, len(c.asked)):] {
				x.end(err)
			}
			c.mu.Unlock()
			return
		}
		x := c.asked[c.current]
		version, status, _ := strings.Cut(start, " ")
		if status = status[:min(3, len(status))]; len(status) == 3 && status[0] == '1' && status != "101" {
			x.interims = append(x.interims, describe(status, h))
			c.mu.Unlock()
			continue
		}
		x.version, x.status, x.header = version, status, h
		c.mu.Unlock()
		x.receive(br, h)
	}
}

// receive reads the body of an answer.
func (x *exchange) receive(br *bufio.Reader, h http.Header) {
	var trailer http.Header
	var err error
	if x.method != http.MethodHead && x.status != "204" && x.status != "304" {
		trailer, err = readBody(br, h, true, x.take)
	}
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if strings.EqualFold(h.Get("Connection"), "close") { // as told
		x.c.closed = true
		x.c.conn.Close()
	}
	x.trailer = trailer
	x.c.current++
	x.end(err)
}

func (x *exchange) take(b []byte) {
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	x.body = append(x.body, b...)
	for x.reads >= 0 && len(x.body) >= x.reads {
		x.more.Wait()
	}
}

// end notes how the answer ended. The caller holds c.mu.
func (x *exchange) end(err error) {
	if !x.ended {
		x.ended, x.err = true, err
		close(x.done)
	}
}

// release lets the client take the rest of the body.
func (x *exchange) release() { x.allow(-1) }

// allow lets the client take so many bytes in all, -1 for the rest.
func (x *exchange) allow(reads int) {
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	x.reads = reads
	x.more.Broadcast()
}

// describe writes an interim response on one line.
func describe(status string, h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return strings.TrimSpace(status + " " + strings.ReplaceAll(strings.TrimSpace(b.String()), "\r\n", "; "))
}
