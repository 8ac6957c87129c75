package h2

import (
	"time"

	"golang.org/x/net/http2"
)

// handle does what a frame says. What is wrong with it is an error, of the
// stream or of the connection (RFC 9113, 5.4).
func (c *conn) handle(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.HeadersFrame:
		return c.onHeaders(f)
	case *http2.DataFrame:
		return c.onData(f)
	case *http2.WindowUpdateFrame:
		return c.onWindowUpdate(f)
	case *http2.RSTStreamFrame:
		return c.onReset(f)
	case *http2.SettingsFrame:
		return c.onSettings(f)
	case *http2.PingFrame:
		return c.onPing(f)
	case *http2.GoAwayFrame:
		if c.ready {
			c.drain()
		}
	case *http2.PushPromiseFrame:
		return connError(http2.ErrCodeProtocol, "PUSH_PROMISE from a client")
	}
	// PRIORITY and what we do not know is ignored (RFC 9113, 5.3.2 and 5.5).
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.noisy()
}

// noisy counts a frame that brings nothing.
func (c *conn) noisy() error {
	if c.noise.spend(time.Now()) {
		return nil
	}
	return connError(http2.ErrCodeEnhanceYourCalm, "too many frames that bring nothing")
}

// respondControl counts an answer to a control frame that was put in the buffer.
func (c *conn) respondControl() error {
	if c.control++; c.control <= maxControl {
		return nil
	}
	return connError(http2.ErrCodeEnhanceYourCalm, "the answers are not read")
}

// provoked counts a stream that had to be reset for what the client did, or
// that the client reset.
func (c *conn) provoked() error {
	if c.resets.spend(time.Now()) {
		return nil
	}
	return connError(http2.ErrCodeEnhanceYourCalm, "too many streams were reset")
}

// streamError resets a stream for what the client did.
func (c *conn) streamError(id uint32, code http2.ErrCode) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refuse(id, code)
}

func (c *conn) refuse(id uint32, code http2.ErrCode) error {
	if id > c.lastID {
		return c.idle()
	}
	if st := c.streams[id]; st != nil {
		c.reset(st, code, errRefused)
	} else {
		c.out = appendReset(c.out, id, code)
		c.note(id, endedByUs)
	}
	if err := c.respondControl(); err != nil {
		return err
	}
	return c.provoked()
}

// idle is for frames of streams that were not opened, which is an error unless
// we do not take new ones (RFC 9113, 5.1 and 6.8).
func (c *conn) idle() error {
	if c.leaving == left {
		return c.noisy()
	}
	return connError(http2.ErrCodeProtocol, "the stream is idle")
}

func (c *conn) onReset(f *http2.RSTStreamFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID > c.lastID {
		return c.idle()
	}
	if st := c.streams[f.StreamID]; st != nil {
		c.drop(st, errReset, endedByClient)
		return c.provoked()
	}
	return c.noisy()
}

func (c *conn) onPing(f *http2.PingFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.IsAck() {
		if c.leaving == announced && f.Data == leavePing {
			c.goAway()
		}
		return c.noisy()
	}
	c.out = appendPing(c.out, http2.FlagPingAck, f.Data)
	if err := c.respondControl(); err != nil {
		return err
	}
	return c.noisy()
}

func (c *conn) onSettings(f *http2.SettingsFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.IsAck() {
		c.settled = true
		return c.noisy()
	}
	if err := f.ForeachSetting(c.set); err != nil {
		return err
	}
	if !c.ready {
		c.ready = true
		_ = c.nc.SetReadDeadline(time.Time{})
	}
	c.out = appendFrameHead(c.out, 0, http2.FrameSettings, http2.FlagSettingsAck, 0)
	if err := c.respondControl(); err != nil {
		return err
	}
	return c.noisy()
}

// set takes over one setting of the client. Settings that ask for less than we
// do anyway need no care: pushes, open streams, the sizes of frames and headers.
func (c *conn) set(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		code := http2.ErrCodeProtocol
		if s.ID == http2.SettingInitialWindowSize {
			code = http2.ErrCodeFlowControl
		}
		return connError(code, s.String()+" is not valid")
	}
	switch s.ID {
	case http2.SettingHeaderTableSize:
		c.enc.resize(s.Val)
	case http2.SettingInitialWindowSize: // RFC 9113, 6.9.2: it changes open windows too
		more := int64(s.Val) - c.initial
		c.initial = int64(s.Val)
		for _, st := range c.streams {
			st.widest += more
			if st.window += more; st.window > maxWindow {
				return connError(http2.ErrCodeFlowControl, "a window is larger than allowed")
			}
			if len(st.part) > 0 && st.window > 0 {
				c.queueUp(st)
			}
		}
	}
	return c.noisy() // each of them: a frame holds thousands
}

const maxWindow = 1<<31 - 1 // RFC 9113, 6.9.1

func (c *conn) onWindowUpdate(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	more := int64(f.Increment)
	if f.StreamID == 0 {
		if c.window += more; c.window > maxWindow {
			return connError(http2.ErrCodeFlowControl, "the window is larger than allowed")
		}
		return c.opened(more, c.window, &c.widest)
	}
	if f.StreamID > c.lastID {
		return c.idle()
	}
	st := c.streams[f.StreamID]
	if st == nil {
		return c.noisy()
	}
	if st.window += more; st.window > maxWindow {
		return c.refuse(st.id, http2.ErrCodeFlowControl)
	}
	if len(st.part) > 0 && st.window > 0 {
		c.queueUp(st)
	}
	return c.opened(more, st.window, &st.widest)
}

// opened counts a window update that makes us send tiny frames, or opens a
// window more than ever. All others are bounded by what was sent.
func (c *conn) opened(more, window int64, widest *int64) error {
	if window <= *widest && more >= useful {
		return nil
	}
	*widest = max(*widest, window)
	return c.noisy()
}
