package h2

import (
	"sync"
	"time"

	"cacheproxy/proxy"
)

// send writes what there is, for the goroutine that reads. It returns false if
// that took so long that another goroutine reads by now.
func (c *conn) send() bool {
	c.full = false
	c.mu.Lock()
	var b batch
	if !c.writing {
		b = c.take()
	}
	done := c.takeFinished()
	if b.frames == nil {
		c.mu.Unlock()
		report(done)
		return true
	}
	c.writing = true
	if c.deadline {
		c.deadline = false
		_ = c.nc.SetWriteDeadline(time.Time{})
	}
	c.mu.Unlock()
	report(done)
	c.role.Store(roleWrites)
	c.late.Reset(patience)
	_, err := c.nc.Write(b.frames)
	mine := c.role.CompareAndSwap(roleWrites, roleReads)
	c.late.Stop()
	c.mu.Lock()
	c.giveBack(b, err)
	c.stopWriting()
	if mine {
		c.push() // if there is more
	} else if c.hasMore() {
		c.writing = true
		c.mu.Unlock()
		c.writeLoop()
		return false
	}
	c.mu.Unlock()
	return mine
}

// takeOver reads on while the goroutine that read is held up by its write.
func (c *conn) takeOver() {
	c.mu.Lock()
	if !c.role.CompareAndSwap(roleWrites, roleHanded) {
		c.mu.Unlock()
		return
	}
	c.tasks.Add(1)
	if c.stall > 0 {
		c.deadline = true
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.stall))
	}
	c.mu.Unlock()
	defer c.tasks.Done()
	c.read()
}

// push sees to it that what is in the buffer or may be sent gets written.
func (c *conn) push() {
	if c.writing || !c.hasMore() {
		return
	}
	c.writing = true
	c.tasks.Go(c.writeLoop)
}

// writeLoop writes until there is nothing left.
func (c *conn) writeLoop() {
	for {
		c.mu.Lock()
		b := c.take()
		done := c.takeFinished()
		if b.frames == nil {
			c.stopWriting()
			c.mu.Unlock()
			report(done)
			return
		}
		if c.stall > 0 {
			c.deadline = true
			_ = c.nc.SetWriteDeadline(time.Now().Add(c.stall))
		}
		c.mu.Unlock()
		report(done)
		_, err := c.nc.Write(b.frames)
		c.mu.Lock()
		c.giveBack(b, err)
		c.mu.Unlock()
	}
}

// batch is what one write writes.
type batch struct {
	frames []byte
	box    *[]byte
}

// take returns what the next write is to write, nothing if there is nothing.
func (c *conn) take() batch {
	if c.dead != nil {
		return batch{}
	}
	c.pump(2) // small answers must not keep the queue waiting
	if len(c.out) == 0 {
		return batch{}
	}
	b := batch{c.out, c.box}
	c.out, c.box, c.unread = nil, nil, 0
	return b
}

// giveBack ends the write of a batch.
func (c *conn) giveBack(b batch, err error) {
	c.control = 0
	if b.box != nil && cap(b.frames) <= 4*outLimit {
		*b.box = b.frames[:0]
		boxes.Put(b.box)
	}
	if err != nil {
		c.die(err)
	}
}

// boxes are buffers. A connection has one only while it has something to say.
var boxes = sync.Pool{New: func() any {
	b := make([]byte, 0, outLimit+outLimit/2)
	return &b
}}

// room gets a buffer, before more than a few bytes are put in it.
func (c *conn) room() {
	if c.box == nil {
		c.box = boxes.Get().(*[]byte)
		c.out = append(*c.box, c.out...)
	}
}

func (c *conn) hasMore() bool {
	return c.dead == nil && (len(c.out) > 0 || c.first != nil && c.window > 0)
}

func (c *conn) stopWriting() {
	c.writing = false
	c.written.Broadcast()
}

// finished is a reply that was sent, or will not be.
type finished struct {
	reply    *proxy.Reply
	sent     int64
	complete bool
}

func (c *conn) takeFinished() []finished {
	f := c.finished
	c.finished = nil
	return f
}

// report says what became of replies. That is not done under the lock.
func report(done []finished) {
	for _, f := range done {
		f.reply.Done(f.sent, f.complete)
	}
}
