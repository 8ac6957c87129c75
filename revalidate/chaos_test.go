package revalidate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
)

// moodyOrigin answers in one of many ways, some of them bad. Content that may
// be shared names its path, content that may not names the user.
type moodyOrigin struct {
	scriptedOrigin
	mu   sync.Mutex
	rng  *rand.Rand
	open atomic.Int64 // bodies
}

func (o *moodyOrigin) roll(n int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rng.IntN(n)
}

func (o *moodyOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Duration(o.roll(200)) * time.Millisecond):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	size := 10 << o.roll(14)
	resp := &http.Response{StatusCode: 200, ContentLength: -1, Request: r, Header: http.Header{"Cache-Control": {"max-age=2, stale-while-revalidate=5"}}, Trailer: http.Header{}}
	text := r.URL.Path + ";"
	switch mood := o.roll(12); mood {
	case 0:
		return nil, errNoRoute
	case 1, 2:
		resp.Header.Set("Cache-Control", "private")
		text = r.Header.Get("User") + ";"
	case 3:
		resp.Header.Set("Vary", "Tongue")
		text += r.Header.Get("Tongue") + ";"
	case 4:
		resp.StatusCode = 503
	case 5:
		resp.ContentLength = int64(size)
	case 6:
		resp.Header.Set("Etag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			resp.StatusCode, size = 304, 0
		}
	}
	o.open.Add(1)
	resp.Body = &moodyBody{o: o, ctx: r.Context(), text: text, left: size, breaks: o.roll(8) == 0, trailer: resp.Trailer}
	return resp, nil
}

type moodyBody struct {
	o       *moodyOrigin
	ctx     context.Context
	text    string
	at      int
	left    int
	breaks  bool
	trailer http.Header
	closed  atomic.Bool
}

func (m *moodyBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Duration(m.o.roll(20)) * time.Millisecond):
	case <-m.ctx.Done():
		return 0, m.ctx.Err()
	}
	if m.left == 0 {
		m.trailer.Set("End", "1")
		return 0, io.EOF
	}
	if m.breaks && m.o.roll(4) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(len(p), m.left, 1+m.o.roll(8192))
	for i := range n {
		p[i] = m.text[m.at%len(m.text)]
		m.at++
	}
	m.left -= n
	return n, nil
}

func (m *moodyBody) Close() error {
	if !m.closed.Swap(true) {
		m.o.open.Add(-1)
	}
	return nil
}

// TestChaos lets many clients come and go before an origin in every mood, while
// keys are invalidated and refreshed. The race detector and the bubble watch;
// the test itself sees that nobody gets what is another's, and nothing is left.
func TestChaos(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := cache.New[Kept](cache.Options{MaxCost: 1 << 20})
		require.NoError(t, err)
		o := &moodyOrigin{rng: rand.New(rand.NewPCG(1, 2))}
		f := New(Options{Store: store, MaxObject: 100_000, MaxVariants: 2})
		c := &chaos{T: t, f: f, o: o, rules: policy.DefaultRules()}
		var wg sync.WaitGroup
		for i := range 1500 {
			wg.Go(func() {
				time.Sleep(time.Duration(o.roll(10_000)) * time.Millisecond)
				c.client(i)
			})
		}
		wg.Wait()
		time.Sleep(2 * finishAlone)
		synctest.Wait()
		assert.Empty(t, f.flights)
		assert.Empty(t, f.active)
		assert.Zero(t, o.open.Load(), "bodies that nobody closed")
		assert.Zero(t, f.Stats().Running)
		assert.Zero(t, f.Stats().Waiting)
		assert.Positive(t, f.Stats().Collapsed)
		assert.Greater(t, c.checked.Load(), int64(1000))
		assert.Positive(t, c.complete.Load())
		assert.Positive(t, c.broken.Load())
		f.Close()
		require.NoError(t, store.Close())
	})
}

type chaos struct {
	*testing.T
	f     *Fetcher
	o     *moodyOrigin
	rules policy.Rules

	complete, broken, checked atomic.Int64
}

func (c *chaos) job(i int) *Job {
	b := &bubble{T: c.T, f: c.f, rules: c.rules}
	tongue := string(rune('a' + c.o.roll(3)))
	fields := []string{fmt.Sprint("User: user", i), "Tongue: " + tongue}
	if c.o.roll(20) == 0 {
		fields = append(fields, "Cache-Control: no-cache")
	}
	j := b.job(http.MethodGet, fmt.Sprint("/", c.o.roll(8)), fields...)
	j.Origin = c.o
	return j
}

// client asks as the proxy would, and leaves early now and then.
func (c *chaos) client(i int) {
	j := c.job(i)
	if c.o.roll(30) == 0 {
		c.f.Invalidate(j.Key)
	}
	switch j.Decision.Action {
	case policy.Serve, policy.ServeStale:
		if j.Decision.Refresh {
			c.f.Refresh(j)
		}
		c.check(i, j, []byte(content(j.selected().Body)))
		return
	}
	ctx, cancel := context.WithTimeout(c.Context(), time.Duration(50+c.o.roll(2000))*time.Millisecond)
	defer cancel()
	a, err := c.f.Do(ctx, j)
	if err != nil {
		c.broken.Add(1)
		return
	}
	if a.Entry != nil {
		c.check(i, j, []byte(content(a.Entry.Body)))
		return
	}
	defer a.Body.Close()
	var got []byte
	for {
		b, err := a.Body.Next(ctx)
		got = append(got, b...)
		if c.o.roll(50) == 0 {
			_, _ = a.Trailer(), a.Late() // as a client does that wants a part only
			return
		}
		if errors.Is(err, io.EOF) {
			c.complete.Add(1)
			break
		}
		if err != nil {
			c.broken.Add(1)
			break
		}
	}
	c.check(i, j, got)
}

// check sees that the content is that of the path, the tongue, the user.
func (c *chaos) check(i int, j *Job, got []byte) {
	path := j.Target.Path + ";"
	c.checked.Add(1)
	said := j.Facts.Fields.Values("Tongue")[0] // the flight may be at work on j.Request
	tongue := path + said + ";"
	for _, want := range []string{fmt.Sprintf("user%d;", i), path, tongue} {
		if strings.HasPrefix(strings.Repeat(want, len(got)/len(want)+1), string(got)) {
			return
		}
	}
	c.Errorf("user%d asked for %s%s and got %.60q", i, path, said, got)
}
