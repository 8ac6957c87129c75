package server

import (
	"time"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// lingerTime and lingerBytes are for how long, and how much, a client may go on
// sending that is not listened to any more.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 32 << 20
)

// refuse answers what cannot be served, after the answers that wait. Nothing that
// follows is read as a request.
func (c *conn) refuse(why policy.Reason) fate {
	w := c.begin()
	if c.s.o.Refuse != nil {
		rq := &w.rq
		w.out = c.s.o.Refuse(w.out, proxy.Refusal{
			Reason: why, Remote: c.remote, Method: rq.Method, Host: rq.Host, URI: rq.Target, Proto: rq.Proto,
			Head: rq.Method == "HEAD", Close: true,
		})
	}
	c.timeout = lingerTime
	w.r = w.n
	return c.after(leave)
}

// leave closes a connection whose client may be sending still: it shall read its
// answer, which a reset would destroy (RFC 9112, 9.6).
func (c *conn) leave() {
	defer c.nc.Close()
	t, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || t.CloseWrite() != nil {
		return
	}
	nc := under(c.nc)
	_ = nc.SetReadDeadline(time.Now().Add(lingerTime))
	room := c.begin().in
	for size := 0; size < lingerBytes; {
		n, err := nc.Read(room)
		if err != nil {
			return
		}
		size += n
	}
}
