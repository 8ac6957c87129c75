package h2

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial returns the client's end of a connection that s serves.
func dial(t testing.TB, s *Server) net.Conn {
	t.Helper()
	if s.ErrorLog == nil {
		s.ErrorLog = log.New(io.Discard, "", 0)
	}
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeConn(context.Background(), theirs)
	}()
	t.Cleanup(func() {
		ours.Close()
		s.Close()
		<-done
	})
	return ours
}

// client speaks HTTP/2 frame by frame.
type client struct {
	t      testing.TB
	conn   net.Conn
	fr     *http2.Framer
	block  bytes.Buffer
	enc    *hpack.Encoder
	frames chan got
}

// got is a frame that the server sent.
type got struct {
	Type   http2.FrameType
	ID     uint32
	End    bool
	Ack    bool
	Fields map[string]string
	Names  []string
	Data   []byte
	Code   http2.ErrCode
	Last   uint32
	More   uint32
}

// connect returns a client that has said hello.
func connect(t testing.TB, s *Server, settings ...http2.Setting) *client {
	t.Helper()
	c := open(t, s)
	go c.read()
	c.hello(settings...)
	return c
}

// mute returns a client that has said hello and does not read.
func mute(t testing.TB, s *Server, settings ...http2.Setting) *client {
	t.Helper()
	c := open(t, s)
	c.hello(settings...)
	return c
}

func (c *client) hello(settings ...http2.Setting) {
	c.t.Helper()
	_, err := io.WriteString(c.conn, http2.ClientPreface)
	require.NoError(c.t, err)
	require.NoError(c.t, c.fr.WriteSettings(settings...))
}

// open returns a client that has not said anything, and does not read.
func open(t testing.TB, s *Server) *client {
	c := &client{t: t, conn: dial(t, s), frames: make(chan got, 10000)}
	c.start()
	return c
}

// start makes what the client reads and writes with.
func (c *client) start() {
	c.fr = http2.NewFramer(c.conn, c.conn)
	c.fr.AllowIllegalWrites = true
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.enc = hpack.NewEncoder(&c.block)
}

// read collects frames; the channel is closed at the end of the connection.
func (c *client) read() {
	defer close(c.frames)
	for {
		f, err := c.fr.ReadFrame()
		if err != nil {
			return
		}
		g := got{Type: f.Header().Type, ID: f.Header().StreamID}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			g.End = f.StreamEnded()
			g.Fields = map[string]string{}
			for _, hf := range f.Fields {
				g.Fields[hf.Name] = hf.Value
				g.Names = append(g.Names, hf.Name)
			}
		case *http2.DataFrame:
			g.End, g.Data = f.StreamEnded(), bytes.Clone(f.Data())
		case *http2.RSTStreamFrame:
			g.Code = f.ErrCode
		case *http2.GoAwayFrame:
			g.Code, g.Last = f.ErrCode, f.LastStreamID
		case *http2.PingFrame:
			g.Ack, g.Data = f.IsAck(), bytes.Clone(f.Data[:])
		case *http2.SettingsFrame:
			g.Ack = f.IsAck()
		case *http2.WindowUpdateFrame:
			g.More = f.Increment
		}
		c.frames <- g
	}
}

// next returns the next frame of one of these types; false if the connection
// ends before.
func (c *client) next(types ...http2.FrameType) (got, bool) {
	c.t.Helper()
	timeout := time.NewTimer(10 * time.Minute)
	defer timeout.Stop()
	for {
		select {
		case g, ok := <-c.frames:
			if !ok {
				return got{}, false
			}
			for _, t := range types {
				if g.Type == t {
					return g, true
				}
			}
		case <-timeout.C:
			require.FailNow(c.t, "no such frame", "%v", types)
		}
	}
}

// expect is next for a frame that must come.
func (c *client) expect(types ...http2.FrameType) got {
	c.t.Helper()
	g, ok := c.next(types...)
	require.True(c.t, ok, "the connection ended before %v", types)
	return g
}

// answer reads the answer on a stream to its end.
func (c *client) answer(id uint32) (fields map[string]string, body string) {
	c.t.Helper()
	for {
		g := c.expect(http2.FrameHeaders, http2.FrameData, http2.FrameRSTStream, http2.FrameGoAway)
		if g.ID != id {
			continue
		}
		require.NotEqual(c.t, http2.FrameRSTStream, g.Type, "reset: %v", g.Code)
		if fields == nil {
			fields = g.Fields
		}
		body += string(g.Data)
		if g.End {
			return fields, body
		}
	}
}

// encode returns a header block of names and values in turn.
func (c *client) encode(pairs ...string) []byte {
	c.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		require.NoError(c.t, c.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}))
	}
	return c.block.Bytes()
}

func (c *client) headers(id uint32, end bool, pairs ...string) {
	c.t.Helper()
	c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: c.encode(pairs...), EndStream: end, EndHeaders: true,
	}))
}

func (c *client) request(id uint32, method, path string, end bool, more ...string) {
	c.t.Helper()
	c.headers(id, end, append([]string{
		":method", method, ":scheme", "http", ":authority", "example.com", ":path", path,
	}, more...)...)
}

func (c *client) get(id uint32, path string, more ...string) {
	c.t.Helper()
	c.request(id, "GET", path, true, more...)
}

func (c *client) data(id uint32, end bool, data string) {
	c.t.Helper()
	c.wrote(c.fr.WriteData(id, end, []byte(data)))
}

// wrote takes the result of a write; the server may have hung up.
func (c *client) wrote(err error) {
	c.t.Helper()
	if err != nil {
		require.ErrorIs(c.t, err, io.ErrClosedPipe)
	}
}

// transport returns a client for s that is as good as any.
func transport(t testing.TB, s *Server) *http.Client {
	tr := &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return dial(t, s), nil },
		DisableCompression: true,
		Protocols:          new(http.Protocols),
	}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// text is a handler that answers with a text.
func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) })
}
