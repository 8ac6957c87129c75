package revalidate

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/snapshot"
)

// snap saves what a fetcher has.
func snap(t testing.TB, f *Fetcher) []byte {
	t.Helper()
	var out bytes.Buffer
	saved, err := f.Save(&out)
	require.NoError(t, err)
	assert.EqualValues(t, out.Len(), saved.Bytes)
	return out.Bytes()
}

func load(t testing.TB, f *Fetcher, in []byte) snapshot.Loaded {
	t.Helper()
	loaded, err := f.Load(bytes.NewReader(in), nil)
	require.NoError(t, err)
	loaded.Saved = time.Time{}
	return loaded
}

// restarted lets a fetcher save and another one load, with the time between them that
// the process was down, and then compares in a test.
func restarted(t *testing.T, down time.Duration, before, after func(b *bubble)) {
	t.Helper()
	inBubble(t, func(b *bubble) {
		before(b)
		in := snap(t, b.f)
		b.store.Clear()
		time.Sleep(down)
		b.f.base = time.Now() // a new process begins to count anew
		load(t, b.f, in)
		after(b)
	})
}

func TestWhatIsSavedIsThereAgain(t *testing.T) {
	fields := []string{
		"Cache-Control: max-age=100, stale-while-revalidate=7, stale-if-error=8", "Age: 3", `Etag: "v1"`,
		"Last-Modified: Mon, 01 Nov 1999 10:00:00 GMT", "Content-Language: en", "X-One: 1", "X-One: 2", "Vary: Accept-Encoding",
	}
	var was policy.Stored
	var block Block
	restarted(t, 40*time.Second, func(b *bubble) {
		b.fill("/a", "content", fields...)
		time.Sleep(10 * time.Second)
		e := b.job("GET", "/a").selected()
		was, block = *e.Stored, e.Fields
	}, func(b *bubble) {
		j := b.job("GET", "/a")
		e := j.selected()
		require.NotNil(t, e)
		assert.Equal(t, policy.Serve, j.Decision.Action)
		assert.Equal(t, "content", content(e.Body))
		assert.Equal(t, block, e.Fields)
		assert.Equal(t, 53*time.Second, e.Age(time.Now()), "3 by its Age, 10 before and 40 while nobody was there")
		now := *e.Stored
		assert.True(t, was.Received.Equal(now.Received))
		assert.True(t, was.Requested.Equal(now.Requested))
		assert.True(t, was.Date.Equal(now.Date))
		now.Times, now.Date = was.Times, was.Date
		assert.Equal(t, was, now)
		time.Sleep(47 * time.Second)
		assert.Equal(t, policy.ServeStale, b.job("GET", "/a").Decision.Action, "it gets stale when it would have")
	})
}

func TestVariantsPartsAndHeads(t *testing.T) {
	large := strings.Repeat("0123456789", 50_000) // in several pieces of memory
	restarted(t, time.Minute, func(b *bubble) {
		for _, language := range []string{"de", "en"} {
			c := b.get("/v", "Accept-Language: "+language)
			b.next().respond(200, "Cache-Control: max-age=1000", "Vary: Accept-Language").send("in " + language).end()
			c.complete("in " + language)
		}
		c := b.get("/part", "Range: bytes=2-5")
		b.next().respond(206, "Cache-Control: max-age=1000", `Etag: "p"`, "Content-Range: bytes 2-5/10", "Content-Length: 4").send("2345").end()
		c.complete("2345")
		c = b.do(b.job(http.MethodHead, "/head"))
		b.next().respond(200, "Cache-Control: max-age=1000", "Content-Length: 1234").end()
		c.complete("")
		b.fill("/empty", "", "Cache-Control: max-age=1000")
		b.fill("/large", large, "Cache-Control: max-age=1000")
	}, func(b *bubble) {
		assert.Equal(t, "in de", b.stored("/v", "Accept-Language: de"))
		assert.Equal(t, "in en", b.stored("/v", "Accept-Language: en"))
		assert.NotEqual(t, policy.Serve, b.job("GET", "/v", "Accept-Language: fr").Decision.Action)

		j := b.job("GET", "/part", "Range: bytes=3-4")
		assert.Equal(t, policy.Serve, j.Decision.Action)
		assert.Equal(t, &policy.Partial{Held: []policy.ByteRange{{First: 2, Last: 5}}, Length: 10}, j.selected().Partial)
		assert.Equal(t, "2345", content(j.selected().Body))

		j = b.job("HEAD", "/head")
		assert.Equal(t, policy.Serve, j.Decision.Action)
		assert.Equal(t, "1234", j.selected().Fields.Header().Get("Content-Length"))
		assert.NotEqual(t, policy.Serve, b.job("GET", "/head").Decision.Action)

		assert.Equal(t, policy.Serve, b.job("GET", "/empty").Decision.Action)
		assert.Equal(t, large, b.stored("/large"))
	})
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func (f *failing) Write([]byte) (int, error) { return 0, f.err }

func TestSaveEndsWithItsWriterAndItsFetcher(t *testing.T) {
	store, f := filled(t, 1000, 1000, cache.Ristretto)
	defer store.Close()
	full := errors.New("the disk is full")
	_, err := f.Save(&failing{full})
	require.ErrorIs(t, err, full)

	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := f.Save(w)
		w.CloseWithError(err)
		done <- err
	}()
	_, err = io.ReadFull(r, make([]byte, 1000))
	require.NoError(t, err)
	_, err = f.Save(io.Discard)
	require.ErrorIs(t, err, snapshot.ErrBusy)
	_, err = f.Load(strings.NewReader(""), nil)
	require.ErrorIs(t, err, snapshot.ErrBusy)
	f.Close()
	_, _ = io.Copy(io.Discard, r)
	require.ErrorContains(t, <-done, "closed")
	_, err = f.Load(bytes.NewReader(snapshotOf(t, 1, 1)), nil)
	require.ErrorContains(t, err, "closed")
}
