package h2

import (
	"net/http"
	"time"

	"golang.org/x/net/http2"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// onHeaders takes the header of a new request, or the trailer of one.
func (c *conn) onHeaders(f *http2.HeadersFrame) error {
	id, end := f.StreamID, f.StreamEnded()
	if id%2 == 0 {
		return connError(http2.ErrCodeProtocol, "a client's streams have odd numbers")
	}
	c.head.reset(id <= c.lastID)
	if !f.HeadersEnded() {
		defer c.inParts()()
	}
	if err := c.in.header(f, 2*c.s.maxHeaderBytes()); err != nil {
		return err
	}
	if c.head.trailer {
		return c.onTrailer(id, end)
	}
	take, err := c.open(id)
	if !take {
		return err
	}
	h := &c.head
	switch {
	case !h.bad && h.beyond != policy.ReasonNone:
		c.decline(id, end)
		return nil
	case !h.check(end):
		return c.streamError(id, http2.ErrCodeProtocol)
	case end && h.length <= 0 && c.hit(id):
		return nil
	}
	if !c.s.hold(h.size) {
		h.beyond = policy.Overloaded
		c.decline(id, end)
		return nil
	}
	return c.start(id, end)
}

// inParts prepares for the rest of a header, and returns what to do after it.
// What was to be sent goes out first: the client may take its time.
func (c *conn) inParts() (after func()) {
	c.mu.Lock()
	c.push()
	c.mu.Unlock()
	if c.s.ReadHeader <= 0 {
		return func() {}
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(c.s.ReadHeader))
	return func() { _ = c.nc.SetReadDeadline(time.Time{}) }
}

// open reports whether a new stream is taken.
func (c *conn) open(id uint32) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = true
	if c.leaving == left { // the client was told that nothing comes of it
		return false, c.noisy()
	}
	c.lastID = id
	// What the client has not got yet is open to it.
	if len(c.streams)+c.unread >= maxStreams {
		return false, c.tooMany(id)
	}
	c.noise.earn(noisePerRequest)
	return true, nil
}

// tooMany refuses a stream. Before the client can know our settings that is not
// its fault, and only noise.
func (c *conn) tooMany(id uint32) error {
	if c.settled {
		return c.refuse(id, http2.ErrCodeRefusedStream)
	}
	c.out = appendReset(c.out, id, http2.ErrCodeRefusedStream)
	c.note(id, endedByUs)
	if err := c.respondControl(); err != nil {
		return err
	}
	return c.noisy()
}

// onTrailer takes the trailer of a request.
func (c *conn) onTrailer(id uint32, end bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.streams[id]
	switch {
	case st != nil && st.body == nil, st != nil && st.body.complete():
		return c.refuse(id, http2.ErrCodeStreamClosed)
	case st != nil && (!end || c.head.bad || c.head.beyond != policy.ReasonNone || !st.body.whole()):
		return c.refuse(id, http2.ErrCodeProtocol)
	case st != nil:
		st.body.trail(c.head.fields)
		return nil
	}
	switch c.howEnded(id) {
	case endedByUs: // it was on its way
		return c.noisy()
	case endedByClient:
		return c.refuse(id, http2.ErrCodeStreamClosed)
	case endedByBoth:
		return connError(http2.ErrCodeStreamClosed, "HEADERS on a closed stream")
	}
	return connError(http2.ErrCodeProtocol, "a new stream has a lower number than the one before")
}

// hit answers a plain GET or HEAD from memory.
func (c *conn) hit(id uint32) bool {
	h := &c.head
	if c.s.Hit == nil || h.method != http.MethodGet && h.method != http.MethodHead || h.path[0] != '/' || !h.plain() {
		return false
	}
	c.rq.Method, c.rq.Host, c.rq.Target, c.rq.Fields = h.method, h.host, h.path, h.fields
	if !c.s.Hit(&c.rq, c.reply) {
		c.reply.TakeFound() // it must not keep a resource for as long as the connection lives
		return false
	}
	if sent, all := c.respond(id); all {
		c.reply.Done(sent, true)
	}
	return true
}

// respond puts a reply in the buffer, and returns how much content that is. If
// it does not fit, the stream waits in the queue, with the reply, and respond
// returns false.
func (c *conn) respond(id uint32) (int64, bool) {
	chunks, size := c.reply.Chunks(), c.reply.Length
	if len(chunks) == 0 {
		size = 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room()
	c.enc.begin(c.reply.Status)
	c.reply.Each(c.enc.add)
	c.out = appendHeaders(c.out, id, c.enc.block, size == 0)
	big := len(c.out) >= outLimit
	c.full = big || c.unread >= maxStreams/2
	if size > min(maxFrame, c.window, c.initial) || big && size > 0 {
		c.queueReply(id, chunks)
		return 0, false
	}
	if size > 0 {
		c.out = appendFrameHead(c.out, int(size), http2.FrameData, http2.FlagDataEndStream, id)
		for _, b := range chunks {
			c.out = append(c.out, b...)
		}
		c.window -= size
		c.noise.earn(float64(size / useful))
	}
	c.unread++
	c.resets.earn(1)
	c.note(id, endedByBoth)
	return size, true
}

// queueReply lets a stream wait for room. Its reply goes with it.
func (c *conn) queueReply(id uint32, chunks [][]byte) {
	st := &stream{c: c, id: id, window: c.initial, widest: c.initial, part: chunks[0], rest: chunks[1:], fin: true, reply: c.reply}
	c.reply = new(proxy.Reply)
	c.waitForRoom(st)
	c.full = len(c.out) >= outLimit
}

// waitForRoom puts a stream whose whole response is there into the queue.
func (c *conn) waitForRoom(st *stream) {
	c.streams[st.id] = st
	st.moved = time.Now()
	if c.stall > 0 {
		st.stall = time.AfterFunc(c.stall, func() { c.stalled(st) })
	}
	c.queueUp(st)
	c.pump(0)
}

// stalled ends a stream of which the client takes too little.
func (c *conn) stalled(st *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset(st, http2.ErrCodeCancel, errStalled)
	c.push()
}
