package h2

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// input reads frames and headers from a client.
type input struct {
	nc  net.Conn
	br  *bufio.Reader // nil after shrink
	fr  *http2.Framer
	dec *hpack.Decoder

	first [1]byte // read while there was no buffer
	held  bool
	begun bool // the client's settings were read
}

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, frameHead+maxFrame) }}

func (in *input) open(nc net.Conn, most limits, h *head) {
	in.nc = nc
	h.limits = most
	in.dec = hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		if !h.add(f) {
			in.dec.SetEmitEnabled(false)
		}
	})
	in.dec.SetMaxStringLength(2 * most.bytes)
	in.grow()
}

// grow gets a buffer.
func (in *input) grow() {
	in.br = readers.Get().(*bufio.Reader)
	in.br.Reset(in)
	in.fr = http2.NewFramer(nil, in.br)
	in.fr.SetReuseFrames()
	in.fr.SetMaxReadFrameSize(maxFrame)
}

// shrink gives the buffers back. Nothing may be in them.
func (in *input) shrink() {
	if in.br != nil {
		in.br.Reset(nil)
		readers.Put(in.br)
		in.br, in.fr = nil, nil
	}
}

// Read reads for the buffer.
func (in *input) Read(p []byte) (int, error) {
	if in.held {
		in.held = false
		p[0] = in.first[0]
		return 1, nil
	}
	return in.nc.Read(p)
}

// complete reports whether the next frame need not be waited for.
func (in *input) complete() bool {
	if in.br == nil || in.br.Buffered() < frameHead {
		return false
	}
	b, _ := in.br.Peek(frameHead)
	n := payload(b)
	return n > maxFrame || in.br.Buffered() >= frameHead+n
}

// idle reports whether nothing of the next frame is here.
func (in *input) idle() bool { return in.br != nil && in.br.Buffered() == 0 }

// wait returns when the next frame is here. A deadline that passes meanwhile
// loses nothing. bound is called when a part of it is here, with whether that is known
// to be content.
func (in *input) wait(bound func(content bool)) error {
	if in.br == nil {
		n, err := in.nc.Read(in.first[:])
		if n == 0 {
			return err
		}
		in.held = true
		in.grow()
	}
	if _, err := in.br.Peek(1); err != nil {
		return err
	}
	if in.br.Buffered() < frameHead {
		bound(false)
	}
	b, err := in.br.Peek(frameHead)
	if err != nil || in.complete() { // too large a one is an error of its own
		return err
	}
	bound(http2.FrameType(b[3]) == http2.FrameData)
	_, err = in.br.Peek(frameHead + payload(b))
	return err
}

const frameHead = 9 // bytes before a frame's payload

// payload returns the length of a frame's payload.
func payload(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

func (in *input) preface() error {
	b := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(in.br, b); err != nil {
		return err
	}
	if string(b) != http2.ClientPreface {
		return errors.New("the client does not speak HTTP/2")
	}
	return nil
}

// frame reads the next frame. It is valid until the one after it is read.
func (in *input) frame() (http2.FrameHeader, http2.Frame, error) {
	fh, err := in.fr.ReadFrameHeader()
	if err != nil {
		return fh, nil, in.explain(err)
	}
	if !in.begun {
		if fh.Type != http2.FrameSettings || fh.Flags.Has(http2.FlagSettingsAck) {
			return fh, nil, connError(http2.ErrCodeProtocol, "the first frame is not SETTINGS")
		}
		in.begun = true
	}
	if int(fh.Length) < least(fh) {
		return fh, nil, connError(http2.ErrCodeFrameSize, "the frame is too short for its flags")
	}
	f, err := in.fr.ReadFrameForHeader(fh)
	return fh, f, in.explain(err)
}

// least is how long a frame must be for what its flags announce (RFC 9113, 4.2).
func least(fh http2.FrameHeader) (n int) {
	if fh.Type != http2.FrameData && fh.Type != http2.FrameHeaders {
		return 0
	}
	if fh.Flags.Has(http2.FlagDataPadded) { // the same bit in HEADERS
		n++
	}
	if fh.Type == http2.FrameHeaders && fh.Flags.Has(http2.FlagHeadersPriority) {
		n += 5
	}
	return n
}

// explain turns an error of the library into ours.
func (in *input) explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, http2.ErrFrameTooLarge) {
		return connError(http2.ErrCodeFrameSize, "the frame is too large")
	}
	var ce http2.ConnectionError
	if !errors.As(err, &ce) {
		return err
	}
	why := "broken frame"
	if d := in.fr.ErrorDetail(); d != nil {
		why = d.Error()
	}
	return connError(http2.ErrCode(ce), why)
}

var errHeader = connError(http2.ErrCodeEnhanceYourCalm, "the header is too large")

// header decodes the header that begins with a frame into in's head.
func (in *input) header(f *http2.HeadersFrame, limit int) error {
	in.dec.SetEmitEnabled(true)
	block, ended := f.HeaderBlockFragment(), f.HeadersEnded()
	size := 0
	for n := 0; ; n++ {
		if size += len(block); size > limit || n > maxContinuations {
			return errHeader
		}
		if _, err := in.dec.Write(block); errors.Is(err, hpack.ErrStringLength) {
			return errHeader
		} else if err != nil {
			return connError(http2.ErrCodeCompression, err.Error())
		}
		if ended {
			break
		}
		_, next, err := in.frame()
		if err != nil {
			return err
		}
		cf := next.(*http2.ContinuationFrame) // the library lets nothing else through
		block, ended = cf.HeaderBlockFragment(), cf.HeadersEnded()
	}
	if err := in.dec.Close(); err != nil {
		return connError(http2.ErrCodeCompression, err.Error())
	}
	return nil
}
