package server

import "cacheproxy/policy"

// step answers the requests that were read, as far as they are whole.
func (c *conn) step() fate {
	for {
		w := c.begin()
		if !c.skipLine() || !w.due() {
			return c.pause()
		}
		w.rq.Remote, w.rq.TLS = c.remote, c.tls != nil
		form := w.rq.parse(w.unread(), &c.s.head)
		switch {
		case form == incomplete:
			w.leave(&c.s.head)
			return c.pause()
		case form == refused && w.rq.isHTTP2 && !c.served && c.tls == nil:
			return multi
		case form == refused:
			return c.refuse(w.rq.why)
		}
		w.seen, c.served, c.partial, c.skipped = 0, true, false, false
		if (w.rq.size > littleHead || c.held > 0) && !c.hold(w.rq.size) {
			return c.refuse(policy.Overloaded)
		}
		if form == other || c.s.o.NoLane {
			if !isURL(w.rq.Target) {
				return c.refuse(policy.BadRequest)
			}
			return c.after(once)
		}
		closing := w.rq.close || c.s.draining.Load()
		if c.s.o.Hit != nil && c.s.o.Hit(&w.rq.Head, &w.reply) {
			w.r += w.rq.size
			if !c.reply(closing) {
				return end
			}
			if closing {
				return c.finish()
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

// skipLine skips one empty line before a request (RFC 9112, 2.2). It returns false
// when it is not known yet whether there is one.
func (c *conn) skipLine() bool {
	w := c.work
	b := w.unread()
	switch {
	case c.skipped || len(b) == 0 || b[0] != '\r':
		return true
	case len(b) == 1:
		return false
	case b[1] == '\n':
		w.r += len("\r\n")
		c.skipped = true
	}
	return true
}

// ended says what becomes of a connection that sends no more: to the beginning of
// a request there is an answer.
func (c *conn) ended(why policy.Reason) fate {
	if c.work == nil && c.stowed == nil {
		return end
	}
	w := c.begin()
	if w.r == w.n {
		return end
	}
	if w.rq.parse(w.unread(), &c.s.head) == refused {
		why = w.rq.why
	}
	return c.refuse(why)
}

// pause sends what waits, until more of a head comes.
func (c *conn) pause() fate {
	f := c.after(read)
	c.rest()
	size := 0
	if c.work != nil {
		size = len(c.work.unread())
	}
	if f == read && size != c.held && !c.hold(size) {
		return c.ended(policy.Overloaded)
	}
	return f
}

// finish ends a connection after an answer. More of what the client sent may be
// unread.
func (c *conn) finish() fate {
	if c.work != nil && c.work.r < c.work.n {
		c.work.r = c.work.n
		return c.after(leave)
	}
	return c.after(end)
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
