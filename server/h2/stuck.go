package h2

import (
	"time"

	"golang.org/x/net/http2"
)

// Stuck is an answer that waits for its client to take more of it.
type Stuck struct {
	For  time.Duration // since the client took 64 KiB, or since it waits
	Held int64         // bytes of memory that it takes
	End  func()        // ends it at once
}

// Stuck lists the answers that wait.
func (s *Server) Stuck() (all []Stuck) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for c := range s.conns {
		c.mu.Lock()
		for _, st := range c.streams {
			if len(st.part) > 0 {
				all = append(all, Stuck{now.Sub(st.moved), st.held(), func() { c.relieve(st) }})
			}
		}
		c.mu.Unlock()
	}
	return all
}

func (st *stream) held() int64 {
	switch {
	case st.reply != nil:
		return st.reply.Length
	case st.holds != nil:
		return st.holds()
	}
	return int64(len(st.part))
}

// relieve resets a stream for the memory that it holds.
func (c *conn) relieve(st *stream) {
	c.mu.Lock()
	c.reset(st, http2.ErrCodeEnhanceYourCalm, errStalled)
	done := c.takeFinished() // a write that waits would keep it
	c.push()
	c.mu.Unlock()
	report(done)
}

// Holds takes what says how much memory the answer takes; see [proxy.Holder].
func (w *response) Holds(size func() int64) {
	c := w.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	w.st.holds = size
}
