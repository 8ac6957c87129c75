package h2

import "time"

// What one connection may cost.
const (
	// maxStreams is how many streams a client may have open, and how many
	// handlers of a connection run at once: a handler whose stream was reset
	// counts until it returns.
	maxStreams = 256

	// streamWindow is how many bytes of a request's content are taken before a
	// handler reads them, connWindow how many of all requests of a connection.
	streamWindow = 256 << 10
	connWindow   = 1 << 20

	// outLimit is how many bytes wait for the next write before content has to
	// wait in the queue. Heads and control frames are bounded by their number.
	outLimit = 64 << 10

	// maxFrame is the largest payload that is sent or taken.
	maxFrame = 16 << 10

	// useful is how many bytes of content make up for one frame that brings
	// nothing, and by how many a window update has to open a window.
	useful = 1 << 10

	// maxControl is how many answers to control frames may wait for a client that
	// does not read.
	maxControl = 1000

	// maxContinuations is how many frames a header may come in.
	maxContinuations = 64

	// A client may have resetBurst streams reset, by itself or by what it does
	// wrong, and after that resetRate in a second and one for each request that
	// came to its end.
	resetBurst = 500
	resetRate  = 50

	// A client may send noiseBurst frames that bring nothing (PING, GOAWAY,
	// PRIORITY, empty DATA, SETTINGS and each setting, window updates that are small,
	// late or more than ever), after that noiseRate in a second and noisePerRequest
	// for each request.
	noiseBurst      = 2000
	noiseRate       = 200
	noisePerRequest = 8
)

// What all connections together may hold: mostContent bytes of content that no
// handler has read, and mostHeads bytes of the headers of requests that are being
// answered. Beyond it a stream may still have littleContent of it, and a header of
// littleHead: so what some clients do does not end the usual requests of others.
const (
	mostContent   = 64 << 20
	littleContent = 16 << 10
	mostHeads     = 8 << 20
	littleHead    = 4 << 10
)

const (
	patience    = 20 * time.Millisecond // a write takes this long before another goroutine reads
	shrinkAfter = 5 * time.Second       // a connection without requests gives its buffers back
	goAwayWait  = time.Second           // for requests that cross the announcement of the end
	lingerTime  = time.Second           // for the client to take the last frames
	giveWayTime = lingerTime / 10       // the same when another connection needs the place
	lingerBytes = 1 << 20               // that a client may still send meanwhile
)

// budget is what may be spent at once, and comes back with time.
type budget struct {
	burst, rate float64
	spent       float64
	at          time.Time
}

// spend reports whether the budget was not exceeded.
func (b *budget) spend(now time.Time) bool {
	if b.spent > 0 {
		b.spent = max(0, b.spent-now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	b.spent++
	return b.spent <= b.burst
}

// earn gives something back.
func (b *budget) earn(n float64) { b.spent = max(0, b.spent-n) }
