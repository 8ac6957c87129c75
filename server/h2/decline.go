package h2

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// decline answers a request whose header goes beyond a limit, its own or that of all.
func (c *conn) decline(id uint32, end bool) {
	h := &c.head
	var answer []byte
	if c.s.Refuse != nil {
		host := h.authority
		if host == "" {
			host = h.host
		}
		answer = c.s.Refuse(nil, proxy.Refusal{
			Reason: h.beyond, Remote: c.remote, Method: h.method, Host: host, URI: h.path,
			Proto: "HTTP/2.0", Head: h.method == http.MethodHead,
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	content := c.declined(answer, h.beyond)
	st := &stream{c: c, id: id, window: c.initial, widest: c.initial, part: content, fin: true}
	if !end { // its content is not wanted, but may be on its way
		st.body = newBody(st, -1)
		st.body.closed = true
	}
	c.out = appendHeaders(c.out, id, c.enc.block, len(content) == 0)
	if len(content) == 0 {
		c.endStream(st)
		return
	}
	c.waitForRoom(st)
}

// declined encodes the header of an answer as HTTP/1.1 sends it, and returns its
// content. Of no answer it makes a status.
func (c *conn) declined(answer []byte, why policy.Reason) (content []byte) {
	head, content, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	status := http.StatusRequestHeaderFieldsTooLarge // RFC 6585, 5
	switch why {
	case policy.URITooLong:
		status = http.StatusRequestURITooLong
	case policy.Overloaded:
		status = http.StatusServiceUnavailable
	}
	if _, after, ok := strings.Cut(lines[0], " "); ok && len(after) >= 3 {
		if n, err := strconv.Atoi(after[:3]); err == nil {
			status = n
		}
	}
	c.enc.begin(status)
	if answer == nil {
		c.enc.add("Content-Length", "0")
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		c.enc.add(name, value)
	}
	return content
}
