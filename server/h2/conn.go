package h2

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"cacheproxy/proxy"
)

// conn is one client's connection.
type conn struct {
	s      *Server
	nc     net.Conn
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	remote string
	tls    *tls.ConnectionState
	tasks  sync.WaitGroup // all goroutines but that of ServeConn and of timers
	closed chan struct{}  // nothing is read any more

	in    input        // belongs to the goroutine that reads
	head  head         // of the request that is being read
	rq    proxy.Head   // the same for Hit
	reply *proxy.Reply // for Hit
	full  bool         // there is enough for a write

	role atomic.Int32 // of the goroutine that reads: what it does
	late *time.Timer  // a write of it takes long

	mu       sync.Mutex // guards all below
	out      []byte     // frames for the next write
	box      *[]byte    // where out came from
	unread   int        // responses that ended in out
	writing  bool       // someone writes, and will see what is in out
	written  sync.Cond  // writing was set to false
	deadline bool       // a deadline for writes is set
	control  int        // answers to control frames in out
	enc      encoder

	streams     map[uint32]*stream
	first, last *stream // queue of streams with content that may be sent
	window      int64   // what the client takes on all streams
	widest      int64   // the most that it ever was
	initial     int64   // what it takes on a new stream
	recv        int64   // what it may send on all streams
	credit      int     // was read of that, and not said yet
	lastID      uint32  // highest stream of the client
	ended       [64]endedStream
	nended      uint
	handlers    int // that run
	finished    []finished
	resets      budget
	noise       budget
	ready       bool // the client's settings were read
	settled     bool // the client knows ours

	stall     time.Duration // for the client to take 64 KiB; 0 = for ever
	content   time.Duration // for it to send a frame of content that has begun; 0 = for ever
	active    time.Time     // of the last request
	asked     bool          // there was one since
	waiting   bool          // reading waits for the next frame, so that a deadline loses nothing
	woken     bool          // such a deadline is set
	frameBy   time.Time     // until then the frame has to come that has begun; zero = no bound
	bounded   bool          // frameBy was thought about
	ofContent bool          // for a frame of content
	shrunk    bool          // buffers were given back
	ticker    *time.Timer

	leaving  leaving
	gives    bool // way to another connection: the client is not waited for
	lastCall *time.Timer
	dead     error // nothing is sent any more
}

// What the goroutine that reads does.
const (
	roleReads  int32 = iota
	roleWrites       // and will read again
	roleHanded       // another goroutine reads by now
)

var (
	errLeft   = errors.New("the connection was ended")
	errClosed = errors.New("the server closed the connection")
)

func newConn(ctx context.Context, s *Server, nc net.Conn) *conn {
	c := &conn{
		s: s, nc: nc, remote: nc.RemoteAddr().String(), tls: state(nc),
		closed: make(chan struct{}), reply: new(proxy.Reply), streams: make(map[uint32]*stream),
		window: 65535, widest: 65535, initial: 65535, recv: connWindow, active: time.Now(),
		resets: budget{burst: resetBurst, rate: resetRate},
		noise:  budget{burst: noiseBurst, rate: noiseRate},
	}
	c.stall, c.content = s.times()
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.written.L = &c.mu
	c.in.open(nc, limits{s.maxHeaderBytes(), s.maxHeaderFields(), s.maxURI()}, &c.head)
	c.enc.init()
	c.rq.Proto, c.rq.Remote, c.rq.TLS = "HTTP/2.0", c.remote, c.tls != nil
	return c
}

// serve serves the connection to its end.
func (c *conn) serve() {
	c.late = time.AfterFunc(time.Hour, c.takeOver)
	c.late.Stop()
	c.mu.Lock()
	c.ticker = time.AfterFunc(c.nextTick(), c.tick)
	c.mu.Unlock()
	if err := c.greet(); err != nil {
		c.finish(err)
	} else {
		c.read()
	}
	<-c.closed
	c.tasks.Wait()
}

// greet reads the client's preface and prepares ours (RFC 9113, 3.4).
func (c *conn) greet() error {
	if c.s.ReadHeader > 0 {
		_ = c.nc.SetReadDeadline(time.Now().Add(c.s.ReadHeader))
	}
	if err := c.in.preface(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = appendSettings(c.out,
		http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: maxStreams},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(c.s.maxHeaderBytes())},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow})
	c.out = appendWindowUpdate(c.out, 0, connWindow-65535)
	if !strong(c.tls) {
		return connError(http2.ErrCodeInadequateSecurity, "the cipher is not fit for HTTP/2")
	}
	return nil
}

// read reads frames until the connection ends or another goroutine reads.
func (c *conn) read() {
	defer func() {
		if p := recover(); p != nil { // a fault of our own ends this connection only
			c.s.logf("panic while serving a client: %v\n%s", p, debug.Stack())
			c.nc.Close()
			go c.finish(net.ErrClosed) // which waits for a lock that may be held for ever
		}
	}()
	for {
		if (c.full || !c.in.complete()) && !c.send() {
			return
		}
		err := c.next()
		if err != nil {
			c.finish(err)
			return
		}
	}
}

// next reads one frame and does what it says.
func (c *conn) next() error {
	if !c.in.complete() {
		if err := c.await(); err != nil {
			return err
		}
	}
	fh, f, err := c.in.frame()
	if err == nil {
		return c.handle(f)
	}
	var se http2.StreamError
	if !errors.As(err, &se) {
		return err
	}
	if fh.Type == http2.FrameHeaders { // without it the header compression is out of step
		return connError(se.Code, "broken HEADERS")
	}
	return c.streamError(se.StreamID, se.Code)
}

// failure is an error for which the connection ends with a code and a word.
type failure struct {
	code http2.ErrCode
	why  string
}

func (f *failure) Error() string { return f.code.String() + ": " + f.why }

func connError(code http2.ErrCode, why string) error { return &failure{code, why} }
