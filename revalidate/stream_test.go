package revalidate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// feed writes to a stream as a flight does.
func (s *stream) feed(t testing.TB, b []byte) {
	t.Helper()
	for len(b) > 0 {
		n := copy(s.space(), b)
		require.Positive(t, n)
		s.wrote(n)
		b = b[n:]
	}
}

// all reads to the end.
func (r *reader) all(ctx context.Context) ([]byte, error) {
	var out []byte
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, b...)
	}
}

// pattern is data in which no two places look alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{7})
	_, _ = rng.Read(b)
	return b
}

func (s *stream) held() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	for _, c := range s.chunks {
		n += int64(cap(c))
	}
	return n
}

func TestStreamReadersAtTheirOwnPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := pattern(300_000)
		s := newStream(-1, new(atomic.Int64))
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second) // the last ones come after the end
				r := s.reader()
				defer r.Close()
				var got []byte
				for {
					b, err := r.Next(t.Context())
					if err == io.EOF {
						break
					}
					if !assert.NoError(t, err) {
						return
					}
					got = append(got, b...)
					time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				}
				assert.True(t, bytes.Equal(want, got), "reader %d", i)
			})
		}
		for rest := want; len(rest) > 0; {
			n := min(10_000, len(rest))
			s.feed(t, rest[:n])
			rest = rest[n:]
			time.Sleep(100 * time.Millisecond)
		}
		s.finish(nil)
		wg.Wait()
		assert.Empty(t, s.readers)
		assert.Equal(t, string(want), content(s.body()))
	})
}

func TestStreamReaderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(-1, new(atomic.Int64))
		r := s.reader()
		assert.False(t, r.More())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := r.Next(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded, "the reader leaves, and nothing else happens")
		s.feed(t, []byte("x"))
		assert.True(t, r.More())
		b, err := r.Next(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "x", string(b))
		s.finish(nil)
		assert.True(t, r.More())
		for range 2 {
			_, err = r.Next(t.Context())
			assert.Equal(t, io.EOF, err)
		}
	})
}

func TestStreamWriterError(t *testing.T) {
	s := newStream(-1, new(atomic.Int64))
	early := s.reader()
	s.feed(t, []byte("half"))
	broken := errors.New("broken")
	s.finish(broken)
	for _, r := range []*reader{early, s.reader()} {
		got, err := r.all(t.Context())
		assert.Equal(t, "half", string(got), "what arrived is passed on first")
		assert.ErrorIs(t, err, broken)
	}
}

func TestStreamLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := pattern(8 << 20)
		s := newStream(int64(len(want)), new(atomic.Int64))
		fast, slow := s.reader(), s.reader()
		s.feed(t, want[:1<<20])
		s.letGo(0, nil)
		assert.EqualValues(t, 1<<20, s.held(), "nobody has read it")

		var wg sync.WaitGroup
		most := int64(0)
		wg.Go(func() { // the writer
			for rest := want[1<<20:]; len(rest) > 0; {
				if !assert.NoError(t, s.throttle(t.Context())) {
					return
				}
				n := copy(s.space(), rest)
				s.wrote(n)
				most = max(most, s.held())
				rest = rest[n:]
			}
			s.finish(nil)
		})
		read := func(r *reader, pause time.Duration) {
			var got []byte
			for {
				b, err := r.Next(t.Context())
				if err == io.EOF {
					break
				}
				if !assert.NoError(t, err) {
					return
				}
				got = append(got, b...)
				time.Sleep(pause)
			}
			assert.True(t, bytes.Equal(want, got))
			r.Close()
		}
		wg.Go(func() { read(fast, 0) })
		wg.Go(func() { read(slow, time.Millisecond) })
		wg.Wait()
		assert.Nil(t, s.reader(), "the beginning is gone")
		assert.LessOrEqual(t, most, int64(1<<20+window+2*lastChunk), "what was kept, and the window")
	})
}

func TestStreamWriterWaitsForTheSlowest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(-1, new(atomic.Int64))
		fast, slow := s.reader(), s.reader()
		s.letGo(0, nil)
		data := pattern(window)
		s.feed(t, data)
		for range 2 { // with the second call it is done with what came first
			_, err := fast.Next(t.Context())
			require.NoError(t, err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		assert.ErrorIs(t, s.throttle(ctx), context.DeadlineExceeded, "the slow one has read nothing")

		released := make(chan error)
		go func() { released <- s.throttle(t.Context()) }()
		synctest.Wait()
		for range 2 {
			_, err := slow.Next(t.Context())
			require.NoError(t, err)
		}
		synctest.Wait()
		assert.NoError(t, <-released, "it has read something")

		s.feed(t, data)
		go func() { released <- s.throttle(t.Context()) }()
		synctest.Wait()
		slow.Close()
		go func() { _, _ = fast.all(t.Context()) }()
		synctest.Wait()
		assert.NoError(t, <-released, "it has gone, and holds nobody up")
		s.finish(nil)
	})
}

// A body that is passed on takes the same memory again and again.
func TestStreamUsesItsMemoryAgain(t *testing.T) {
	s := newStream(-1, new(atomic.Int64))
	r := s.reader()
	s.letGo(0, nil)
	want := pattern(4 << 20)
	chunks := make(map[*byte]bool)
	var got []byte
	for rest := want; len(rest) > 0; {
		room := s.space()
		chunks[&room[:cap(room)][cap(room)-1]] = true // the last byte is the same while a chunk fills
		n := copy(room, rest)
		s.wrote(n)
		rest = rest[n:]
		b, err := r.Next(t.Context())
		require.NoError(t, err)
		got = append(got, b...)
	}
	assert.True(t, bytes.Equal(want, got))
	assert.Less(t, len(chunks), 10)
}

// What is of no use for the next bytes is not held beside what counts.
func TestStreamHoldsNoSpareInVain(t *testing.T) {
	s := newStream(-1, new(atomic.Int64))
	r := s.reader()
	s.feed(t, pattern(4<<20)) // in large chunks
	s.letGo(0, nil)
	for range 10 {
		_, err := r.Next(t.Context())
		require.NoError(t, err)
	}
	for _, spare := range s.spare {
		assert.LessOrEqual(t, cap(spare), passChunk)
	}
	s.finish(nil)
	_, err := r.all(t.Context())
	require.NoError(t, err)
	assert.Equal(t, [2][]byte{}, s.spare, "nothing comes any more")
}

// What one reader was given stays as it is while others read on and the stream
// lets go.
func TestStreamBytesAreValidUntilTheNextCall(t *testing.T) {
	s := newStream(-1, new(atomic.Int64))
	one, two := s.reader(), s.reader()
	data := pattern(100_000)
	s.feed(t, data[:50_000])
	s.letGo(0, nil)
	b, err := one.Next(t.Context())
	require.NoError(t, err)
	was := bytes.Clone(b)
	for range 3 {
		_, err = two.Next(t.Context())
		require.NoError(t, err)
	}
	s.feed(t, data[50_000:])
	assert.True(t, bytes.Equal(was, b))
}

func TestStreamMemory(t *testing.T) {
	for _, tc := range []struct {
		name  string
		hint  int64
		size  int
		limit int64 // of the memory while it arrives
	}{
		{"length known", 1000, 1000, 1000 + endChunk},
		{"length known and large", 3 << 20, 3 << 20, 3<<20 + endChunk},
		{"length not known, small", -1, 1000, firstChunk},
		{"length not known", -1, 1 << 20, 1<<20 + 2*lastChunk},
		{"empty", 0, 0, endChunk},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := pattern(tc.size)
			s := newStream(tc.hint, new(atomic.Int64))
			s.feed(t, want)
			s.space() // where the end of the body is looked for
			s.finish(nil)
			assert.LessOrEqual(t, s.held(), tc.limit)
			body := s.body()
			assert.Equal(t, string(want), content(body))
			var kept int64
			for _, c := range body.Chunks() {
				kept += int64(cap(c))
			}
			assert.LessOrEqual(t, kept, int64(tc.size)*8/7, "what is stored has little slack")
		})
	}
}

// All bodies that are not kept share what they may run ahead.
func TestManyStreamsRunLessFarAhead(t *testing.T) {
	const many = 2000
	var passing atomic.Int64
	streams := make([]*stream, many)
	for i := range streams {
		streams[i] = newStream(-1, &passing)
		streams[i].reader() // and it reads nothing
		streams[i].letGo(0, nil)
		streams[i].letGo(0, nil) // counts once
	}
	var total int64
	for _, s := range streams {
		for s.size-s.slowest() < s.ahead() {
			s.wrote(len(s.space()))
		}
		total += s.held()
	}
	assert.LessOrEqual(t, total, int64(mostAhead+2*many*leastAhead))
	for _, s := range streams {
		s.finish(nil)
	}
	assert.Zero(t, passing.Load())
	alone := newStream(-1, &passing)
	alone.letGo(0, nil)
	assert.EqualValues(t, window, alone.ahead())
}
