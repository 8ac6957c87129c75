package h2

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// heap is how much of it is in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// TestStalledStreamsCostLittle: streams whose windows are closed hold next to
// nothing, and how many there are is bounded.
func TestStalledStreamsCostLittle(t *testing.T) {
	const clients, large = 8, 1 << 20
	content := make([]byte, large)
	s := cached(t, nil)
	c := connect(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: large})
	c.wrote(c.fr.WriteWindowUpdate(0, 2*large))
	c.get(1, "/1048576")
	c.answer(1)
	for _, tc := range []struct {
		name string
		s    *Server
		most int // bytes for each stream
	}{
		{"stored", s, 4 << 10},
		{"handler", &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(content)
		})}, 32 << 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var all [clients]*client
			for i := range all {
				all[i] = connect(t, tc.s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			}
			before := heap()
			for _, c := range all {
				for id := uint32(1); id < 2*maxStreams; id += 2 {
					c.get(id, "/1048576")
				}
				for range maxStreams {
					c.expect(http2.FrameHeaders)
				}
				c.get(2*maxStreams+1, "/1048576")
				assert.Equal(t, http2.ErrCodeRefusedStream, c.expect(http2.FrameRSTStream).Code)
			}
			each := (heap() - before) / (clients * maxStreams)
			t.Logf("%d bytes for each stream", each)
			assert.Less(t, each, tc.most)
			other := connect(t, tc.s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: large})
			other.wrote(other.fr.WriteWindowUpdate(0, large))
			other.get(1, "/1048576")
			_, body := other.answer(1)
			assert.Len(t, body, large)
		})
	}
}

// TestContentThatNobodyReads is bounded by the connection's window.
func TestContentThatNobodyReads(t *testing.T) {
	const clients = 4
	reading := make(chan struct{}, clients*maxStreams)
	s := &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			reading <- struct{}{}
			<-r.Context().Done()
		}
	})}
	piece := strings.Repeat("x", maxFrame)
	var all [clients]*client
	for i := range all {
		all[i] = connect(t, s)
	}
	before := heap()
	for _, c := range all {
		for id := uint32(1); id < 9; id += 2 { // as many as fill the window
			c.request(id, "POST", "/", false)
			for range connWindow / 4 / maxFrame {
				c.data(id, false, piece)
			}
		}
		for range 4 {
			<-reading
		}
		c.get(9, "/")
		c.answer(9)
		assert.Zero(t, len(c.frames), "no window is opened")
	}
	each := (heap() - before) / clients
	t.Logf("%d bytes for each connection", each)
	assert.Less(t, each, connWindow*3/2)
}

// TestContentThatWasReadIsNotKept, as long as its stream may last.
func TestContentThatWasReadIsNotKept(t *testing.T) {
	const streams = 4 * maxStreams / 5
	took := make(chan struct{})
	s := &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, streamWindow))
		took <- struct{}{}
		<-r.Context().Done()
	})}
	c := connect(t, s)
	before := heap()
	for n := range streams {
		id := uint32(2*n + 1)
		c.request(id, "POST", "/", false)
		for range streamWindow / maxFrame {
			c.data(id, false, strings.Repeat("x", maxFrame))
		}
		<-took
	}
	each := (heap() - before) / streams
	t.Logf("%d bytes for each stream", each)
	assert.Less(t, each, streamWindow/2)
}

// TestContentOfAllConnections that nobody reads is bounded, too: the streams that have
// most of it are reset. Content that is read goes on.
func TestContentOfAllConnections(t *testing.T) {
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			_, _ = io.Copy(w, r.Body)
			return
		}
		<-r.Context().Done()
	})}
	piece := strings.Repeat("x", maxFrame)
	fill := func(c *client, id uint32) { // a whole window
		c.request(id, "POST", "/", false)
		for range streamWindow / maxFrame {
			c.data(id, false, piece)
		}
	}
	for range mostContent / connWindow {
		c := connect(t, s)
		for id := uint32(1); id < 9; id += 2 {
			fill(c, id)
		}
	}
	require.Eventually(t, func() bool { return s.unread.Load() == mostContent }, 30*time.Second, time.Millisecond)
	c := connect(t, s)
	fill(c, 1)
	assert.Equal(t, http2.ErrCodeEnhanceYourCalm, c.expect(http2.FrameRSTStream).Code)
	assert.LessOrEqual(t, s.unread.Load(), int64(mostContent+littleContent))
	c.request(3, "POST", "/read", false)
	c.data(3, true, piece[:littleContent])
	_, body := c.answer(3)
	assert.Len(t, body, littleContent)
	s.Close()
	assert.Zero(t, s.unread.Load(), "nothing stays counted")
}

// TestHeadersOfAllConnections: large ones of requests under way are bounded together.
// Usual ones are taken all the same.
func TestHeadersOfAllConnections(t *testing.T) {
	s := &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
	})}
	var bulk []string
	for range 15 { // they fit in a frame
		bulk = append(bulk, "x", strings.Repeat("y", 1000))
	}
	var c *client
	ask := func(n int, path string, more ...string) (id uint32) {
		if n%(maxStreams-1) == 0 {
			c = connect(t, s)
		}
		id = uint32(2*(n%(maxStreams-1)) + 1)
		c.request(id, "GET", path, true, more...)
		return id
	}
	counts := func(want int64) func() bool { return func() bool { return s.heads.Load() == want } }
	ask(0, "/wait", bulk...)
	require.Eventually(t, func() bool { return s.heads.Load() > 0 }, 30*time.Second, time.Millisecond)
	each := s.heads.Load()
	fit := int(mostHeads / each)
	for n := 1; n < fit; n++ {
		ask(n, "/wait", bulk...)
	}
	require.Eventually(t, counts(int64(fit)*each), 30*time.Second, time.Millisecond)
	fields, _ := c.answer(ask(fit, "/wait", bulk...))
	assert.Equal(t, "503", fields[":status"])
	fields, _ = c.answer(ask(fit+1, "/", "x", strings.Repeat("y", 3000)))
	assert.Equal(t, "200", fields[":status"])
	s.Close()
	assert.Zero(t, s.heads.Load(), "nothing stays counted")
}

// TestHeaderBomb: a few bytes that stand for many are not written out. CVE-2016-1544.
func TestHeaderBomb(t *testing.T) {
	seen := 0
	s := &Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen++ })}
	c := connect(t, s)
	bomb := c.encode(":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "x", strings.Repeat("y", 4000))
	c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: bomb, EndStream: true, EndHeaders: true}))
	c.answer(1)
	require.Equal(t, 1, seen)
	// The field is the newest of the table; 100,000 times it is 400 MB.
	bomb = []byte(strings.Repeat("\xbe", 100_000))
	request := []byte("\x82\x86\x84\x01\x01a")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, start := m.TotalAlloc, time.Now()
	const times = 50
	for id := uint32(3); id < 3+2*times; id += 2 {
		c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: request, EndStream: true}))
		for part := bomb; len(part) > 0; {
			n := min(len(part), maxFrame)
			c.wrote(c.fr.WriteContinuation(id, n == len(part), part[:n]))
			part = part[n:]
		}
		fields, _ := c.answer(id)
		assert.Equal(t, "431", fields[":status"])
	}
	runtime.ReadMemStats(&m)
	each := (m.TotalAlloc - before) / times
	t.Logf("%d bytes and %v for each", each, time.Since(start)/times)
	assert.Less(t, each, uint64(128<<10), "what is allocated for a header that is worth 400 MB")
	assert.Equal(t, 1, seen)
}

// TestAnnouncedTrailersAreBounded: one field does not become a large map.
func TestAnnouncedTrailersAreBounded(t *testing.T) {
	var names strings.Builder
	for i := range 10_000 {
		names.WriteString(string([]byte{byte('a' + i%26), byte('a' + i/26%26), byte('a' + i/676), ','}))
	}
	seen := make(chan int, 1)
	c := connect(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- len(r.Trailer) })})
	block := string(c.encode(":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/", "trailer", names.String()))
	c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block[:maxFrame])}))
	for block = block[maxFrame:]; len(block) > 0; {
		n := min(len(block), maxFrame)
		c.wrote(c.fr.WriteContinuation(1, n == len(block), []byte(block[:n])))
		block = block[n:]
	}
	c.answer(1)
	assert.Equal(t, 256, <-seen)
}

// TestContentThatIsGivenUpDoesNotEnd: a client that sends all of its content and leaves
// before that was read must not look as if it had sent less.
func TestContentThatIsGivenUpDoesNotEnd(t *testing.T) {
	left, got := make(chan struct{}), make(chan error, 1)
	s := &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 3))
		close(left)
		<-r.Context().Done()
		rest, err := io.ReadAll(r.Body)
		assert.Empty(t, rest)
		got <- err
	})}
	c := connect(t, s)
	c.request(1, "POST", "/", false)
	c.data(1, true, "content")
	<-left
	c.wrote(c.fr.WriteRSTStream(1, http2.ErrCodeCancel))
	assert.Error(t, <-got)
}
