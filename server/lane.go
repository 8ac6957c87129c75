package server

import "strings"

// step answers the requests that were read, as far as they are whole.
func (c *conn) step() fate {
	if c.s.o.NoLane {
		return c.bypass()
	}
	for {
		w := c.begin()
		if c.served && w.n-w.r < leastNext {
			return c.pause()
		}
		w.rq.Remote, w.rq.TLS = c.remote, c.tls != nil
		switch w.rq.parse(w.in[w.r:w.n]) {
		case incomplete:
			return c.pause()
		case strange:
			if !c.served && w.rq.isHTTP2 && c.tls == nil {
				return multi
			}
			return c.after(hand)
		case other:
			c.served, c.partial = true, false
			return c.after(once)
		}
		c.served, c.partial = true, false
		closing := w.rq.close || c.s.draining.Load()
		if c.s.o.Hit != nil && c.s.o.Hit(&w.rq.Head, &w.reply) {
			w.r += w.rq.size
			if !c.reply(closing) {
				return end
			}
			if closing {
				return c.after(end)
			}
			continue
		}
		if f := c.after(c.exchange()); f != read {
			return f
		}
	}
}

// preface begins HTTP/2 with prior knowledge (RFC 9113, 3.4).
const preface = "PRI * HTTP/2.0\r\n"

// bypass gives every connection to net/http, which does not know HTTP/2 in clear.
func (c *conn) bypass() fate {
	switch got := text(c.work.in[:c.work.n]); {
	case c.tls != nil: // where ALPN chooses HTTP/2 (RFC 9113, 3.2)
	case strings.HasPrefix(got, preface):
		return multi
	case strings.HasPrefix(preface, got):
		return read
	}
	return hand
}

// leastNext is how many bytes of a further request net/http waits for before it
// looks at them.
const leastNext = 4

// ended says what becomes of a connection whose client sends no more: net/http
// answers a head that is not whole.
func (c *conn) ended() fate {
	w := c.work
	if w == nil || w.r == w.n || c.served && w.n-w.r < leastNext {
		return end
	}
	return c.after(hand)
}

// pause sends what waits, and makes room for the rest of a head.
func (c *conn) pause() fate {
	w := c.work
	f := c.after(read)
	w.n = copy(w.in[:], w.in[w.r:w.n])
	w.r = 0
	c.rest()
	return f
}

// after sends what waits to be sent. It returns the fate given, or the end when
// the client takes nothing.
func (c *conn) after(f fate) fate {
	if w := c.work; w != nil && len(w.out) > 0 {
		err := c.send(w.out)
		w.out = w.out[:0]
		if err != nil {
			return end
		}
	}
	return f
}

// reply sends an answer from the store. A small one waits for those of the
// requests that came with it.
func (c *conn) reply(closing bool) bool {
	w := c.work
	w.out = w.reply.AppendHead(w.out, closing)
	chunks := w.reply.Chunks()
	var size int64
	if len(chunks) > 0 {
		size = w.reply.Length
	}
	c.timeout = w.reply.WriteTimeout()
	if size > maxOut {
		sent, err := c.sendBody(chunks)
		w.reply.Done(sent, err == nil)
		return err == nil
	}
	for _, chunk := range chunks {
		w.out = append(w.out, chunk...)
	}
	w.reply.Done(size, true)
	return len(w.out) < maxOut || c.after(read) == read
}

// sendBody sends what waits and then content, which is not copied. It returns
// how much of the content was sent.
func (c *conn) sendBody(chunks [][]byte) (sent int64, err error) {
	w := c.work
	parts := append(w.parts[:0], w.out)
	defer func() {
		parts = parts[:cap(parts)]
		clear(parts) // bodies must not outlive their use here
		w.parts, w.out = parts[:0], w.out[:0]
	}()
	for len(chunks) > 0 {
		some := chunks[:min(len(chunks), mostParts-1)]
		chunks = chunks[len(some):]
		parts = append(parts, some...)
		var size int64
		for _, chunk := range some {
			size += int64(len(chunk))
		}
		if err = c.sendAll(parts); err != nil {
			return sent, err
		}
		sent += size
		parts = parts[:0]
	}
	return sent, nil
}
