package proxy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// site is an origin whose answers count up, and what it was asked.
type site struct {
	p      *proxy.Proxy
	answer atomic.Pointer[http.HandlerFunc]
	mu     sync.Mutex
	asked  []*http.Request
}

func newSite(t *testing.T, change func(*proxy.Config)) *site {
	s := new(site)
	if change == nil {
		change = func(*proxy.Config) {}
	}
	s.p = newProxyOf(t, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r)
		n := len(s.asked)
		s.mu.Unlock()
		w.Header().Set("Cache-Control", "max-age=1000")
		w.Header().Set("Etag", `"same"`)
		if h := s.answer.Load(); h != nil {
			(*h)(w, r)
			return
		}
		fmt.Fprintf(w, "answer %d", n)
	}, change)
	return s
}

func (s *site) answers(h http.HandlerFunc) { s.answer.Store(&h) }

// get is what a client gets; fields are "Name: value".
func (s *site) get(url string, fields ...string) string {
	w := httptest.NewRecorder()
	s.p.ServeHTTP(w, clientRequest(url, fields...))
	return w.Body.String()
}

func clientRequest(url string, fields ...string) *http.Request {
	r := httptest.NewRequest("GET", url, nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func (s *site) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *site) last() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1]
}

func (s *site) refresh(t *testing.T, url string, header http.Header) proxy.RefreshResult {
	t.Helper()
	got, err := s.p.RefreshURL(t.Context(), url, header)
	require.NoError(t, err)
	assert.Equal(t, url, got.URL)
	return got
}

func TestRefreshFetchesAnewAndSwaps(t *testing.T) {
	s := newSite(t, nil)
	require.Equal(t, "answer 1", s.get("http://site.test/a"))
	require.Equal(t, "answer 1", s.get("http://site.test/a"))
	arrived, release := make(chan struct{}), make(chan struct{})
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "the n")
		_ = http.NewResponseController(w).Flush()
		close(arrived)
		<-release
		fmt.Fprint(w, "ew one")
	})
	done := make(chan proxy.RefreshResult)
	go func() {
		got, _ := s.p.RefreshURL(context.Background(), "http://site.test/a", nil)
		done <- got
	}()
	<-arrived
	assert.Equal(t, "answer 1", s.get("http://site.test/a"), "the old one until the new one is complete")
	close(release)
	got := <-done
	require.Len(t, got.Variants, 1)
	v := got.Variants[0]
	assert.Positive(t, v.Seconds)
	v.Seconds = 0
	assert.Equal(t, proxy.RefreshVariant{Status: 200, Stored: true, Bytes: 11, Fields: map[string]string{}}, v)
	assert.Equal(t, "the new one", s.get("http://site.test/a"))
	assert.Equal(t, 2, s.count())
	assert.Empty(t, s.last().Header.Get("If-None-Match"), "a validator of what may be wrong is not sent")
}

func TestRefreshOfAllVariants(t *testing.T) {
	s := newSite(t, nil)
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Language, Cookie")
		fmt.Fprintf(w, "%s/%s/%d", r.Header.Get("Accept-Language"), r.Header.Get("Cookie"), s.count())
	})
	require.Equal(t, "de//1", s.get("http://site.test/v", "Accept-Language: de"))
	require.Equal(t, "en/a=b/2", s.get("http://site.test/v", "Accept-Language: en", "Cookie: a=b"))
	require.Equal(t, "/a=b/3", s.get("http://site.test/v", "Cookie: a=b"))
	got := s.refresh(t, "http://site.test/v", http.Header{"Accept-Language": {"fr"}, "User-Agent": {"me"}})
	require.Len(t, got.Variants, 3)
	fields := []map[string]string{}
	for _, v := range got.Variants {
		assert.True(t, v.Stored, "%+v", v)
		fields = append(fields, v.Fields)
	}
	assert.ElementsMatch(t, []map[string]string{
		{"Accept-Language": "de"}, {"Accept-Language": "en", "Cookie": "(not shown)"}, {"Cookie": "(not shown)"},
	}, fields)
	assert.Equal(t, 6, s.count())
	assert.Equal(t, "me", s.last().UserAgent())
	for _, fields := range [][]string{{"Accept-Language: de"}, {"Accept-Language: en", "Cookie: a=b"}, {"Cookie: a=b"}} {
		assert.NotRegexp(t, "/[123]$", s.get("http://site.test/v", fields...), "it was asked anew")
	}
	assert.Equal(t, 6, s.count(), "and all are hits")
}

// What a client sent to be known by is used to ask for its variant, and not shown.
func TestRefreshShowsNoSecret(t *testing.T) {
	s := newSite(t, nil)
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "X-Api-Key")
		fmt.Fprint(w, r.Header.Get("X-Api-Key"))
	})
	require.Equal(t, "k1", s.get("http://site.test/v", "X-Api-Key: k1"))
	got := s.refresh(t, "http://site.test/v", nil)
	require.Len(t, got.Variants, 1)
	assert.Equal(t, map[string]string{"X-Api-Key": "(not shown)"}, got.Variants[0].Fields)
	assert.Equal(t, "k1", s.last().Header.Get("X-Api-Key"))
}

func TestRefreshOfWhatIsNotThere(t *testing.T) {
	s := newSite(t, nil)
	got := s.refresh(t, "http://site.test/new?b=2", nil)
	assert.True(t, got.Variants[0].Stored)
	assert.Equal(t, "/new?b=2", s.last().RequestURI)
	assert.Equal(t, "site.test", s.last().Host)
	assert.Equal(t, "answer 1", s.get("http://site.test/new?b=2"))
	assert.Equal(t, 1, s.count())
}

// Who looks at the site over TLS that ends in front of the proxy writes https.
func TestRefreshFindsTheOtherScheme(t *testing.T) {
	s := newSite(t, nil)
	require.Equal(t, "answer 1", s.get("http://site.test/a"))
	s.refresh(t, "https://site.test/a", nil)
	assert.Equal(t, "answer 2", s.get("http://site.test/a"))
	s.refresh(t, "https://site.test/b", nil)
	assert.Equal(t, "https", s.last().Header.Get("X-Forwarded-Proto"))
}

// Where the origin begins to vary, the old response does not go on for those that the
// new one is not for.
func TestRefreshThatVariesOtherwise(t *testing.T) {
	s := newSite(t, nil)
	require.Equal(t, "answer 1", s.get("http://site.test/a", "Accept-Language: de"))
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Language")
		fmt.Fprint(w, "new "+r.Header.Get("Accept-Language"))
	})
	s.refresh(t, "http://site.test/a", http.Header{"Accept-Language": {"en"}})
	assert.Equal(t, "new en", s.get("http://site.test/a", "Accept-Language: en"))
	assert.Equal(t, 2, s.count())
	assert.Equal(t, "new de", s.get("http://site.test/a", "Accept-Language: de"))
}

// What cannot be stored leaves what is stored as it is, and says why.
func TestRefreshThatIsNotStored(t *testing.T) {
	s := newSite(t, nil)
	require.Equal(t, "answer 1", s.get("http://site.test/a"))
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   proxy.RefreshVariant
	}{
		"no-store": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			fmt.Fprint(w, "secret")
		}, proxy.RefreshVariant{Status: 200, Reason: "no-store"}},
		"an error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, proxy.RefreshVariant{Status: 500, Error: "what is stored stays"}},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			for range 40 {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		}, proxy.RefreshVariant{Status: 200, Reason: "too-large", Bytes: 40 * 64 << 10}},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, proxy.RefreshVariant{Status: 200, Error: "the body broke off", Bytes: 4}},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			proxy.RefreshVariant{Reason: "origin-unreachable", Error: policy.OriginUnreachable.Info().Text}},
	} {
		t.Run(name, func(t *testing.T) {
			s.answers(tc.answer)
			v := s.refresh(t, "http://site.test/a", nil).Variants[0]
			assert.Equal(t, tc.want.Status, v.Status)
			assert.Equal(t, tc.want.Bytes, v.Bytes)
			assert.False(t, v.Stored)
			assert.Contains(t, v.Error, tc.want.Error)
			assert.Equal(t, tc.want.Error == "", v.Error == "")
			assert.Equal(t, tc.want.Reason, v.Reason)
			assert.Equal(t, "answer 1", s.get("http://site.test/a"), "clients get the old one")
		})
	}
}

func TestRefreshRefusals(t *testing.T) {
	s := newSite(t, func(c *proxy.Config) {
		c.Routes[0].Host = "site.test"
		c.Routes[0].Rules = []proxy.Rule{{Path: "/account/*", Change: func(s *proxy.Settings) { s.Bypass = true }}}
	})
	for _, tc := range []struct {
		url, header, want string
	}{
		{"", "", "no URL to fetch"},
		{"/path", "", "no URL to fetch"},
		{"ftp://site.test/", "", "no URL to fetch"},
		{"http:///path", "", "no URL to fetch"},
		{"http://site.test/\x01", "", "is no URL"},
		{"http://u:p@site.test/", "", "user information"},
		{"http://site.test/#top", "", "fragment"},
		{"http://site.test/?a b", "", "encode it"},
		{"http://site.test/?a\u00e4", "", "encode it"},
		{"http://site.test:x/", "", "is no URL"},
		{"http://other.test/", "", policy.NoRoute.Info().Text},
		{"http://site.test/account/1", "", policy.Bypass.Info().Text},
		{"http://site.test/a/%2e%2e/b", "", policy.DotSegments.Info().Text},
		{"http://site.test/", "Host", `"Host" cannot be sent`},
		{"http://site.test/", "range", `"range" cannot be sent`},
		{"http://site.test/", "X Y", `"X Y" cannot be sent`},
	} {
		header := http.Header{}
		if tc.header != "" {
			header[tc.header] = []string{"x"}
		}
		_, err := s.p.RefreshURL(t.Context(), tc.url, header)
		assert.ErrorContains(t, err, tc.want, tc.url)
		_, err = s.p.WarmURL(t.Context(), tc.url, header)
		assert.ErrorContains(t, err, tc.want, tc.url)
	}
	_, err := s.p.RefreshURL(t.Context(), "http://site.test/", http.Header{"X-A": {"a\r\nX-B: b"}})
	assert.ErrorContains(t, err, "line end")
	assert.Zero(t, s.count())
}

// A space in a path is not what a client sends: it is encoded as clients do it.
func TestRefreshEncodesPaths(t *testing.T) {
	s := newSite(t, nil)
	s.refresh(t, "http://Site.test:80/a b/ü", nil)
	assert.Equal(t, "/a%20b/%C3%BC", s.last().RequestURI)
	assert.Equal(t, "answer 1", s.get("http://site.test/a%20b/%C3%BC"))
}

func TestWarm(t *testing.T) {
	s := newSite(t, nil)
	warm := func(header http.Header) proxy.RefreshResult {
		got, err := s.p.WarmURL(t.Context(), "http://site.test/a", header)
		require.NoError(t, err)
		return got
	}
	got := warm(nil)
	assert.False(t, got.Fresh)
	assert.True(t, got.Variants[0].Stored)
	got = warm(nil)
	assert.True(t, got.Fresh)
	assert.Empty(t, got.Variants)
	assert.Equal(t, 1, s.count())

	s.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Encoding")
		fmt.Fprint(w, r.Header.Get("Accept-Encoding"))
	})
	s.refresh(t, "http://site.test/a", nil)
	gzip := http.Header{"Accept-Encoding": {"gzip"}}
	assert.False(t, warm(gzip).Fresh, "another variant")
	assert.True(t, warm(gzip).Fresh)
	assert.Equal(t, "gzip", s.get("http://site.test/a", "Accept-Encoding: gzip"))
	_, err := s.p.WarmURL(t.Context(), "http://site.test/other", http.Header{"Cache-Control": {"only-if-cached"}})
	assert.ErrorContains(t, err, policy.OnlyIfCached.Info().Text)
}

func TestRefreshKeepsTheLimitOnRequests(t *testing.T) {
	s := newSite(t, func(c *proxy.Config) { c.MaxRequests = 1 })
	arrived, release := make(chan struct{}), make(chan struct{})
	s.answers(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	})
	done := make(chan struct{})
	go func() {
		s.get("http://site.test/slow")
		close(done)
	}()
	<-arrived
	v := s.refresh(t, "http://site.test/a", nil).Variants[0]
	assert.Equal(t, policy.Overloaded.Info().Text, v.Error)
	close(release)
	<-done
	assert.Zero(t, s.p.Asking())
}

func TestRefreshEndsWithItsContext(t *testing.T) {
	s := newSite(t, nil)
	s.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got, err := s.p.RefreshURL(ctx, "http://site.test/a", nil)
	require.NoError(t, err)
	assert.Contains(t, got.Variants[0].Error, "deadline exceeded")
	_, err = s.p.RefreshURL(ctx, "http://site.test/a", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
