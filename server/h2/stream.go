package h2

import (
	"context"
	"errors"
	"time"

	"golang.org/x/net/http2"

	"cacheproxy/proxy"
)

var (
	errGone    = errors.New("the client's connection ended")
	errReset   = errors.New("the client reset the stream")
	errRefused = errors.New("the stream was reset, since the client broke the protocol")
	errStalled = errors.New("the client took nothing in time")
	errOver    = errors.New("the response has ended")
	errAborted = errors.New("the handler aborted the response")
	errCrowded = errors.New("too much content waits to be read, of all requests together")
)

// stream is one request and its response. The connection's lock guards it.
type stream struct {
	c  *conn
	id uint32

	// What is sent.
	window  int64        // what the client takes
	widest  int64        // the most that it ever was
	part    []byte       // content that waits
	rest    [][]byte     // after it; not to be changed
	fin     bool         // the response ends after that
	moved   time.Time    // when the client last took a slice of it, while it waits
	counted int64        // of sent, at that time
	holds   func() int64 // memory that the answer of the handler takes; nil = not known
	next    *stream      // in the queue
	queued  bool
	ended   bool  // our side of the stream is closed
	err     error // why the stream was ended before its end

	// A reply from memory.
	reply *proxy.Reply
	sent  int64
	timed int64       // of sent, when stall began anew
	stall *time.Timer // ends the stream when too little is taken

	// For a handler.
	cancel   context.CancelFunc
	body     *body         // nil without content
	wake     chan struct{} // content was taken, or err or deadline set; holds one
	deadline time.Time     // for what is written
}

// queueUp puts a stream at the end of the queue.
func (c *conn) queueUp(st *stream) {
	if st.queued {
		return
	}
	st.queued, st.next = true, nil
	if c.first == nil {
		c.first = st
	} else {
		c.last.next = st
	}
	c.last = st
}

func (c *conn) unqueue() *stream {
	st := c.first
	c.first = st.next
	if c.first == nil {
		c.last = nil
	}
	st.queued, st.next = false, nil
	return st
}

// pump moves content into the buffer, in turn a frame of each stream, as far as
// windows and buffer allow, but at least so many frames, whatever is in the
// buffer. A stream whose window is closed leaves the queue until that is opened.
func (c *conn) pump(least int) {
	if c.first != nil {
		c.room()
	}
	for c.first != nil && c.window > 0 && (len(c.out) < outLimit || least > 0) {
		st := c.unqueue()
		if len(st.part) == 0 || st.window <= 0 {
			continue
		}
		least--
		c.sendFrame(st)
		if len(st.part) > 0 {
			c.queueUp(st)
		}
	}
}

// sendFrame moves one frame of a stream's content into the buffer.
func (c *conn) sendFrame(st *stream) {
	n := min(maxFrame, int64(len(st.part)), st.window, c.window)
	b := st.part[:n]
	st.part = st.part[n:]
	for len(st.part) == 0 && len(st.rest) > 0 {
		st.part, st.rest = st.rest[0], st.rest[1:]
	}
	sent := len(st.part) == 0
	c.out = appendData(c.out, st.id, b, sent && st.fin)
	c.window -= n
	st.window -= n
	if st.sent += n; st.sent-st.counted >= slice {
		st.counted, st.moved = st.sent, time.Now()
	}
	c.noise.earn(float64(n / useful))
	switch {
	case sent && st.fin:
		c.endStream(st)
	case sent:
		st.signal()
	case st.stall != nil && st.sent-st.timed >= slice:
		st.timed = st.sent
		st.stall.Reset(c.stall)
	}
}

// signal wakes the handler's goroutine.
func (st *stream) signal() {
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// endStream ends our side of a stream after its last frame. A client that has
// not sent all of its request need not do so any more (RFC 9113, 8.1).
func (c *conn) endStream(st *stream) {
	st.ended = true
	how := endedByBoth
	if st.body != nil && !st.body.complete() {
		c.out = appendReset(c.out, st.id, http2.ErrCodeNo)
		how = endedByUs
	}
	c.unread++
	c.resets.earn(1)
	c.remove(st, how)
	if st.reply != nil {
		c.finished = append(c.finished, finished{st.reply, st.sent, true})
		st.reply = nil
	}
}

// reset ends a stream by RST_STREAM.
func (c *conn) reset(st *stream, code http2.ErrCode, err error) {
	if st.err != nil || st.ended {
		return
	}
	c.out = appendReset(c.out, st.id, code)
	c.drop(st, err, endedByUs)
}

// drop ends a stream before its end.
func (c *conn) drop(st *stream, err error, how ending) {
	if st.err != nil || st.ended {
		return
	}
	st.err = err
	st.part, st.rest = nil, nil
	c.remove(st, how)
	if st.reply != nil {
		c.finished = append(c.finished, finished{st.reply, st.sent, false})
		st.reply = nil
	}
}

// remove forgets a stream that has ended, and lets its goroutine know.
func (c *conn) remove(st *stream, how ending) {
	delete(c.streams, st.id)
	c.note(st.id, how)
	if st.stall != nil {
		st.stall.Stop()
	}
	if st.body != nil {
		st.body.end(st.err)
	}
	if st.cancel != nil && st.err != nil {
		st.cancel()
	}
	st.signal()
	c.rest()
}

// rest is called when a request has ended.
func (c *conn) rest() {
	if !c.unused() {
		return
	}
	c.active = time.Now()
	if c.leaving == left {
		c.wake()
	}
}

// ending is how a stream ended.
type ending uint8

const (
	unknown       ending = iota // long ago, or it was never used
	endedByBoth                 // both sides said END_STREAM
	endedByUs                   // we reset it: frames may still be on their way
	endedByClient               // the client reset it
)

// endedStream is one of the last streams that ended.
type endedStream struct {
	id  uint32
	how ending
}

// note remembers how a stream ended.
func (c *conn) note(id uint32, how ending) {
	c.ended[c.nended%uint(len(c.ended))] = endedStream{id, how}
	c.nended++
}

// howEnded returns how a stream ended, if that is still known.
func (c *conn) howEnded(id uint32) ending {
	for i := range min(c.nended, uint(len(c.ended))) {
		if e := c.ended[(c.nended-1-i)%uint(len(c.ended))]; e.id == id {
			return e.how
		}
	}
	return unknown
}
