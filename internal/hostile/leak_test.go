package hostile

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// secretive is an origin whose answers name the user who asked, and are for that
// user only or for everybody, by chance.
type secretive struct {
	mu   sync.Mutex
	rng  *rand.Rand
	said map[string]said // by the serial number that is in the content

	reused atomic.Int64 // answers that somebody else got, as was allowed
}

type said struct {
	user   string
	secret bool
}

// permits let a shared cache store the answer to a request with credentials.
var permits = []string{"public", "must-revalidate", "s-maxage=3"}

// directives are those that an answer may have one or more of.
var directives = []string{
	"private", "no-store", "Private", "NO-STORE", "no-cache", "max-age=3", "max-age=0", "stale-while-revalidate=5", "stale-if-error=9",
	"immutable", "no-transform", "public", "must-revalidate", "s-maxage=3", `no-cache="X-User"`, "frobnicate",
}

func (o *secretive) roll(n int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rng.IntN(n)
}

// URL and RoundTrip make it an origin to the proxy.
func (*secretive) URL() *url.URL { return &url.URL{Scheme: "http", Host: "origin.test"} }

func (o *secretive) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := pause(r.Context(), o.roll(300)); err != nil {
		return nil, err
	}
	h := http.Header{}
	var control []string
	if o.roll(4) > 0 {
		control = append(control, "max-age=3")
	}
	for range o.roll(3) {
		control = append(control, directives[o.roll(len(directives))])
	}
	if len(control) > 0 {
		h["Cache-Control"] = []string{strings.Join(control, ", ")}
	}
	if o.roll(5) == 0 {
		h["Set-Cookie"] = []string{"session=" + r.Header.Get("User")}
	}
	tag := `"same for all"`
	if o.roll(6) == 0 {
		tag = `"` + r.Header.Get("User") + `"`
		h["Vary"] = []string{[]string{"User", "User", "*"}[o.roll(3)]}
	}
	if o.roll(2) == 0 {
		h["Etag"] = []string{tag}
		if strings.Contains(r.Header.Get("If-None-Match"), tag) && o.roll(3) > 0 {
			return &http.Response{StatusCode: 304, Header: h, Body: http.NoBody, Request: r}, nil
		}
	}
	status := []int{200, 200, 200, 200, 404, 500}[o.roll(6)]
	text := o.say(r, h, control) + strings.Repeat(".", 1<<o.roll(12))
	return &http.Response{
		StatusCode: status, Header: h, Request: r, ContentLength: -1,
		Body: io.NopCloser(&drip{o: o, ctx: r.Context(), text: text}),
	}, nil
}

// say notes who may get an answer, and returns its serial number.
func (o *secretive) say(r *http.Request, h http.Header, control []string) string {
	all := strings.ToLower(strings.Join(control, ","))
	permitted := false
	for _, p := range permits {
		permitted = permitted || strings.Contains(all, p)
	}
	secret := strings.Contains(all, "private") || strings.Contains(all, "no-store") || len(h["Set-Cookie"]) > 0 || len(h["Vary"]) > 0 ||
		len(r.Header["Authorization"]) > 0 && !permitted
	o.mu.Lock()
	defer o.mu.Unlock()
	serial := fmt.Sprintf("%d;", len(o.said))
	o.said[serial] = said{r.Header.Get("User"), secret}
	return serial
}

// drip is content that comes slowly.
type drip struct {
	o    *secretive
	ctx  context.Context
	text string
}

func (d *drip) Read(p []byte) (int, error) {
	if d.text == "" {
		return 0, io.EOF
	}
	if err := pause(d.ctx, d.o.roll(50)); err != nil {
		return 0, err
	}
	n := copy(p, d.text[:min(len(d.text), 1+d.o.roll(900))])
	d.text = d.text[n:]
	return n, nil
}

func pause(ctx context.Context, ms int) error {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestNothingLeaksBetweenUsers: many users ask for few URLs at once, so that they
// share flights and find what others left. None gets an answer that was for
// somebody else only: with private, no-store, Set-Cookie or Vary, or to
// credentials without permission.
func TestNothingLeaksBetweenUsers(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { leakTest(t, seed) })
		})
	}
}

func leakTest(t *testing.T, seed uint64) {
	o := &secretive{rng: rand.New(rand.NewPCG(seed, 1)), said: map[string]said{}}
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 4 << 20})
	require.NoError(t, err)
	fetcher := revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 4})
	p := proxy.New(fetcher, &proxy.Config{
		Name: "cacheproxy", Token: "edge",
		Routes: []*proxy.Route{{Name: "all", Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}, nil)
	var wg sync.WaitGroup
	for user := range 12 {
		wg.Go(func() {
			for range 60 {
				_ = pause(t.Context(), o.roll(400))
				o.visit(t, p, fmt.Sprintf("user%d", user))
			}
		})
	}
	wg.Wait()
	fetcher.Close()
	require.NoError(t, store.Close())
	assert.Positive(t, o.reused.Load(), "some answers were for everybody, or this shows nothing")
}

// visit is one request of a user, who may leave early, and its judgement.
func (o *secretive) visit(t *testing.T, p *proxy.Proxy, user string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if o.roll(6) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(o.roll(300))*time.Millisecond)
		defer cancel()
	}
	r := httptest.NewRequestWithContext(ctx, []string{"GET", "GET", "GET", "HEAD", "POST"}[o.roll(5)], fmt.Sprintf("http://a.example/%d", o.roll(3)), nil)
	r.Header.Set("User", user)
	if o.roll(3) == 0 {
		r.Header.Set("Authorization", "Basic "+user)
	}
	if o.roll(8) == 0 {
		r.Header.Set("Range", "bytes=0-99")
	}
	w := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }() // an answer that broke off
		p.ServeHTTP(w, r)
	}()
	if cookie := w.Header().Get("Set-Cookie"); cookie != "" {
		assert.Equal(t, "session="+user, cookie)
	}
	serial, _, whole := strings.Cut(w.Body.String(), ";")
	o.mu.Lock()
	s, known := o.said[serial+";"]
	o.mu.Unlock()
	if !whole || !known || s.user == user {
		return
	}
	o.reused.Add(1)
	assert.False(t, s.secret, "%s got an answer for %s only: %q", user, s.user, w.Header())
}
