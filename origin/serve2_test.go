package origin

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// two is the origin's end of a connection of HTTP/2, frame by frame.
type two struct {
	*peer
	*http2.Framer
	text bytes.Buffer
	enc  *hpack.Encoder
}

// start2 exchanges prefaces.
func start2(p *peer, settings ...http2.Setting) *two {
	w := &two{peer: p, Framer: http2.NewFramer(p.Conn, p.br)}
	w.enc = hpack.NewEncoder(&w.text)
	p.body(len(http2.ClientPreface))
	_ = w.WriteSettings(settings...)
	return w
}

// request returns the stream of the next request, once its head is there, and
// acknowledges what comes before it; 0 when there is none.
func (w *two) request() uint32 {
	for {
		f, err := w.ReadFrame()
		if err != nil {
			return 0
		}
		switch f := f.(type) {
		case *http2.HeadersFrame:
			return f.StreamID
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = w.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = w.WritePing(true, f.Data)
			}
		}
	}
}

// head sends the fields of a response, names and values in turn.
func (w *two) head(id uint32, end bool, fields ...string) {
	w.text.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = w.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = w.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: w.text.Bytes(), EndHeaders: true, EndStream: end})
}

func (w *two) answer(id uint32) {
	w.head(id, false, ":status", "200")
	_ = w.WriteData(id, true, []byte("ok"))
}

// rest reads until the other side closes.
func (w *two) rest() { _, _ = io.Copy(io.Discard, w.br) }

// serve2 answers all requests well.
func serve2(p *peer) {
	w := start2(p)
	for id := w.request(); id != 0; id = w.request() {
		w.answer(id)
	}
}

// over2 serves HTTP/2 frame by frame.
func over2(t *testing.T, o Options, fn func(*two)) (*server, *Origin) {
	return overTLS(t, o, goodTLS("h2"), func(p *peer) {
		if p.state().NegotiatedProtocol == "h2" {
			fn(start2(p))
		}
	})
}
