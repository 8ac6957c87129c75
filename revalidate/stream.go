package revalidate

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Sizes of a growing body.
const (
	firstChunk = 4 << 10
	lastChunk  = 256 << 10 // chunks of what is kept double up to this
	passChunk  = 64 << 10  // and others up to this
	large      = 32 << 10  // from here on the allocator counts in pages
	page       = 8 << 10
	endChunk   = 512       // to see the end of a body whose length is known
	window     = 128 << 10 // how far a body that is not kept may run ahead of its slowest reader
	leastAhead = 8 << 10   // the same when there are many of them
	mostAhead  = 6 << 20   // how far all of them together, but for leastAhead each; spare chunks come on top
)

// stream is a body on its way: one writer, any number of readers at their own
// pace, all sharing the same memory.
//
// While it is kept, it holds all that has arrived, which the limit on the size
// of objects bounds. Once it is not kept (any more), what every reader has
// seen is let go, and the writer waits when the slowest reader lags behind too far:
// less far when there are many such bodies.
type stream struct {
	mu      sync.Mutex
	changed chan struct{} // closed and renewed with every change
	chunks  [][]byte
	spare   [2][]byte // chunks that were let go, for the next ones
	base    int64     // bytes let go before chunks[0]
	size    int64     // bytes arrived, base included
	kept    bool
	done    bool
	err     error // why it ended; nil for a complete body
	readers map[*reader]struct{}
	hint    int64     // what is expected in all, -1 when not known
	last    time.Time // of the last bytes
	passing *atomic.Int64

	onTheWay *atomic.Int64 // counts what came while the body was kept; set by letGo
	lag      int64         // of it, what is not let go yet
}

// newStream returns a stream that counts in passing while it is not kept.
func newStream(hint int64, passing *atomic.Int64) *stream {
	return &stream{
		changed: make(chan struct{}), kept: true, readers: make(map[*reader]struct{}),
		hint: hint, last: time.Now(), passing: passing,
	}
}

// ahead is how far the body may run ahead of its slowest reader, if it is not kept.
func (s *stream) ahead() int64 {
	return min(max(mostAhead/max(s.passing.Load(), 1), leastAhead), window)
}

// broadcast wakes everybody who waits. The caller holds the lock.
func (s *stream) broadcast() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// space returns memory for the next bytes: the free end of the last chunk, or
// of a new one. Readers never look beyond the length that write published, so
// that the writer may fill it without the lock.
func (s *stream) space() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.chunks); n > 0 {
		if c := s.chunks[n-1]; len(c) < cap(c) {
			return c[len(c):cap(c)]
		}
	}
	size, next := int(s.nextChunk()), s.spare[0]
	s.spare = [2][]byte{s.spare[1]}
	if cap(next) < size || cap(next) > 2*size {
		next = slices.Grow([]byte(nil), size) // uses all the memory that the allocator gives for the size
	}
	s.chunks = append(s.chunks, next)
	return next[:cap(next)]
}

// nextChunk sizes a chunk: just what is still expected, or twice the last. Large
// ones are whole pages, since the allocator would round them up to that.
func (s *stream) nextChunk() int64 {
	if s.hint >= 0 && s.kept {
		switch left := s.hint - s.size; {
		case left > large:
			return min(left&^(page-1), lastChunk)
		case left > 0:
			return left
		}
		return endChunk
	}
	most := int64(lastChunk)
	if !s.kept {
		most = min(passChunk, s.ahead()/2)
	}
	if n := len(s.chunks); n > 0 {
		return min(int64(cap(s.chunks[n-1]))*2, most)
	}
	return firstChunk
}

// wrote publishes n bytes that were put into space, and returns how many there
// are in all.
func (s *stream) wrote(n int) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.chunks) - 1
	s.chunks[last] = s.chunks[last][:len(s.chunks[last])+n]
	s.size += int64(n)
	s.last = time.Now()
	s.broadcast()
	return s.size
}

// finish ends the body; err is nil when it is complete.
func (s *stream) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.kept && !s.done {
		s.passing.Add(-1)
	}
	s.done, s.err, s.spare = true, err, [2][]byte{}
	s.release()
	s.broadcast()
}

// letGo stops keeping what everybody has read. So many bytes are counted in onTheWay,
// where those that are let go are taken off.
func (s *stream) letGo(counted int64, onTheWay *atomic.Int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept && !s.done {
		s.passing.Add(1)
	}
	s.kept = false
	s.lag, s.onTheWay = counted, onTheWay
	s.release()
}

// release lets go of chunks that no reader needs any more, counts them no more, and
// keeps two for what comes next, if anything does and they are not too large for it.
// The caller holds the lock.
func (s *stream) release() {
	if s.kept {
		return
	}
	slowest := s.slowest()
	for len(s.chunks) > 1 && s.base+int64(len(s.chunks[0])) <= slowest {
		s.base += int64(len(s.chunks[0]))
		if !s.done && cap(s.chunks[0]) <= passChunk {
			s.spare = [2][]byte{s.chunks[0][:0], s.spare[0]}
		}
		s.chunks[0] = nil
		s.chunks = s.chunks[1:]
	}
	here := s.size - s.base
	if s.done && len(s.readers) == 0 {
		here = 0
	}
	if gone := s.lag - here; gone > 0 {
		s.onTheWay.Add(-gone)
		s.lag = here
	}
}

func (s *stream) slowest() int64 {
	slowest := s.size
	for r := range s.readers {
		slowest = min(slowest, r.using)
	}
	return slowest
}

// throttle waits until a body that is not kept may go on.
func (s *stream) throttle(ctx context.Context) error {
	for {
		s.mu.Lock()
		ok := s.kept || s.size-s.slowest() < s.ahead()
		changed := s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// body returns what has arrived, for storing. The stream must be complete and
// kept.
func (s *stream) body() Body {
	s.mu.Lock()
	defer s.mu.Unlock()
	chunks := make([][]byte, 0, len(s.chunks))
	for _, c := range s.chunks {
		if len(c) > 0 {
			chunks = append(chunks, c)
		}
	}
	trim(chunks)
	return bodyInPieces(chunks)
}

// reader reads a stream from its beginning.
type reader struct {
	s     *stream
	at    int64
	using int64 // what Next returned last begins here, and ends at at
}

// reader returns a new reader, or nil when the beginning was let go already.
func (s *stream) reader() *reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base > 0 {
		return nil
	}
	r := &reader{s: s}
	s.readers[r] = struct{}{}
	return r
}

// Next returns the next bytes, which are valid until the following call, or
// io.EOF at the end of a complete body, or why the body broke off.
func (r *reader) Next(ctx context.Context) ([]byte, error) {
	for {
		b, changed, err := r.poll()
		if b != nil || err != nil {
			return b, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *reader) poll() ([]byte, <-chan struct{}, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.using < r.at {
		r.using = r.at
		if !s.kept { // the writer may be waiting for us
			s.release()
			s.broadcast()
		}
	}
	if r.at < s.size {
		skip := r.at - s.base
		for _, c := range s.chunks {
			if skip < int64(len(c)) {
				b := c[skip:len(c):len(c)]
				r.at += int64(len(b))
				return b, nil, nil
			}
			skip -= int64(len(c))
		}
	}
	if s.done {
		if s.err != nil {
			return nil, nil, s.err
		}
		return nil, nil, io.EOF
	}
	return nil, s.changed, nil
}

// More reports whether Next would return without waiting.
func (r *reader) More() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.at < r.s.size || r.s.done
}

// Held returns how many bytes of memory the body takes now, for all its readers.
func (r *reader) Held() int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.s.size - r.s.base + int64(cap(r.s.spare[0])+cap(r.s.spare[1]))
}

// Close stops reading.
func (r *reader) Close() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	delete(r.s.readers, r)
	r.s.release()
	r.s.broadcast()
}

// silence returns for how long nothing has come.
func (s *stream) silence(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.last)
}

func (s *stream) isKept() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}
