package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
	"cacheproxy/revalidate"
)

// taggingOrigin answers with the path's segments as tags.
type taggingOrigin struct{}

func (taggingOrigin) URL() *url.URL { return &url.URL{Scheme: "http", Host: "origin.test"} }

func (taggingOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Cache-Control": {"max-age=600"}, "Cache-Tag": {strings.ReplaceAll(strings.Trim(r.URL.Path, "/"), "/", ",")}, "Vary": {"Tongue"}}
	return &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(strings.NewReader("x")), ContentLength: 1, Request: r}, nil
}

type purging struct {
	*testing.T
	p     *Proxy
	mu    sync.Mutex
	heard []purge.Audit
}

func newPurging(t *testing.T) *purging {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 8 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { store.Close() })
	f := revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 4})
	t.Cleanup(f.Close)
	x := &purging{T: t}
	rules := Settings{Rules: policy.DefaultRules(), Query: policy.QueryRules{Drop: []policy.Glob{"utm_*"}}}
	x.p = New(f, &Config{
		Name: "cacheproxy", Token: "edge", Routes: []*Route{{Name: "site", Host: "*.test", Origin: taggingOrigin{}, Base: rules}},
		PurgeFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		OnPurge: func(a purge.Audit) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.heard = append(x.heard, a)
		},
	}, nil)
	return x
}

// get asks for a URL and returns the Cache-Status of the answer.
func (x *purging) get(url string, fields ...string) string {
	r := httptest.NewRequest("GET", url, nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	x.p.ServeHTTP(w, r)
	require.Equal(x, 200, w.Code)
	return w.Header().Get("Cache-Status")
}

func (x *purging) fill(urls ...string) {
	for _, u := range urls {
		x.get(u)
		require.Contains(x, x.get(u), "; hit", u)
	}
}

func TestPurgeByEachKind(t *testing.T) {
	all := []string{"http://a.test/x/1", "http://a.test/x/2", "http://a.test/y/1", "http://b.test/x/1", "http://b.test:8080/x/1", "https://a.test/x/1",
		"http://c.test/%7e%c3%a9?q=%e9", "http://c.test/~%C3%A9?q=%E9", "http://c.test/~%c3%a9?q=%e9", "http://c.test/a%2Fb", "http://c.test/a/b",
		"http://c.test/s?q=\u00e9", "http://c.test/s?q=%C3%A9"}
	for _, tc := range []struct {
		name string
		rq   purge.Request
		hits []string
		kind string
		told string
	}{
		{"a URL, of either scheme", purge.Request{URLs: []string{"HTTP://A.test:80/x/1#f"}}, []string{all[0], all[5]}, "url", "http://a.test/x/1"},
		{"a URL with what the rules drop", purge.Request{URLs: []string{"http://a.test/x/2?utm_source=x"}}, all[1:2], "url", "http://a.test/x/2"},
		{"a URL in its spellings", purge.Request{URLs: []string{"http://c.test/%7e%c3%a9?q=%e9"}}, all[6:9], "url", "http://c.test/%7e%c3%a9?q=%e9"},
		{"a URL whose spellings have other meanings", purge.Request{URLs: []string{"http://c.test/a%2fb"}}, all[9:10], "url", "http://c.test/a%2fb"},
		{"a URL whose query lacks its encoding", purge.Request{URLs: []string{"http://c.test/s?q=\u00e9"}}, all[11:], "url", "http://c.test/s?q=\u00e9"},
		{"a tag", purge.Request{Tags: []string{"2"}}, all[1:2], "tag", "2"},
		{"tags that overlap", purge.Request{Tags: []string{"x", "1"}}, all[:6], "tag", "x"},
		{"a host", purge.Request{Hosts: []string{"B.test."}}, all[3:5], "host", "b.test"},
		{"a host with a port", purge.Request{Hosts: []string{"b.test:8080"}}, all[4:5], "host", "b.test:8080"},
		{"a prefix", purge.Request{Prefixes: []string{"A.test/x/"}}, []string{all[0], all[1], all[5]}, "prefix", "a.test/x/"},
		{"a prefix with a scheme", purge.Request{Prefixes: []string{"https://A.test:443/x/"}}, all[5:6], "prefix", "https://a.test/x/"},
		{"a glob", purge.Request{Globs: []string{"*.test/*/1"}}, []string{all[0], all[2], all[3], all[5]}, "glob", "*.test/*/1"},
		{"a URL that something else hits too", purge.Request{URLs: []string{"http://a.test/y/1", "https://a.test/y/1"}, Tags: []string{"y"}}, all[2:3], "url", "http://a.test/y/1"},
		{"everything", purge.Request{Everything: true}, all, "everything", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newPurging(t)
			x.fill(all...)
			tc.rq.DryRun = true
			dry, err := x.p.Purge(t.Context(), tc.rq)
			require.NoError(t, err)
			assert.EqualValues(t, len(tc.hits), dry.Purged)
			assert.ElementsMatch(t, tc.hits, dry.Examples)
			assert.Empty(t, x.p.Purges(), "nothing was purged")
			tc.rq.DryRun = false
			got, err := x.p.Purge(t.Context(), tc.rq)
			require.NoError(t, err)
			assert.EqualValues(t, len(tc.hits), got.Purged)
			assert.True(t, got.Complete)
			assert.Equal(t, tc.kind, got.Marks[0].Kind)
			assert.Equal(t, tc.told, got.Marks[0].Value)
			for _, u := range all {
				want := "; hit"
				for _, hit := range tc.hits {
					if hit == u {
						want = "fwd=uri-miss"
					}
				}
				assert.Contains(t, x.get(u), want, u)
			}
		})
	}
}

func TestPurgeCountsVariants(t *testing.T) {
	x := newPurging(t)
	x.get("http://a.test/v", "Tongue: de")
	x.get("http://a.test/v", "Tongue: en")
	for _, rq := range []purge.Request{{Tags: []string{"v"}, DryRun: true}, {Tags: []string{"v"}, Soft: true}, {URLs: []string{"http://a.test/v"}, Soft: true}, {Tags: []string{"v"}}} {
		got, err := x.p.Purge(t.Context(), rq)
		require.NoError(t, err)
		assert.EqualValues(t, 2, got.Purged, "%+v", rq)
		assert.Equal(t, rq.Soft, got.Soft)
	}
	got, err := x.p.Purge(t.Context(), purge.Request{Tags: []string{"v"}})
	require.NoError(t, err)
	assert.Zero(t, got.Purged)
}

func TestPurgeRefuses(t *testing.T) {
	x := newPurging(t)
	x.fill("http://a.test/1")
	for _, tc := range []struct {
		rq   purge.Request
		want string
	}{
		{purge.Request{}, "nothing to purge: give urls"},
		{purge.Request{Tags: make([]string, purge.MostItems+1)}, "give at most 10000"},
		{purge.Request{URLs: []string{"http://a.test/", "/1"}}, `urls[1]: "/1": it does not begin with http:// or https://: give an absolute URL`},
		{purge.Request{URLs: []string{"ftp://a.test/1"}}, "does not begin with http"},
		{purge.Request{URLs: []string{"http:///1"}}, "no valid host"},
		{purge.Request{URLs: []string{"http://u@a.test/1"}}, "user information"},
		{purge.Request{URLs: []string{"http://a.test/%zz"}}, "it is no URL"},
		{purge.Request{Tags: []string{""}}, "tags[0]"},
		{purge.Request{Tags: []string{" a"}}, "no white space around it"},
		{purge.Request{Tags: []string{"a\nb"}}, "tags[0]"},
		{purge.Request{Hosts: []string{"a.test/1"}}, `hosts[0]: "a.test/1": it is no host`},
		{purge.Request{Hosts: []string{"*.test"}}, "it is no host"},
		{purge.Request{Hosts: []string{"a.test:443"}}, "leave :443 out"},
		{purge.Request{Prefixes: []string{"a.test"}}, "give a host and the beginning of a path"},
		{purge.Request{Prefixes: []string{"/img/"}}, `prefixes[0]: "/img/": give a host and the beginning of a path`},
		{purge.Request{Prefixes: []string{"ftp://a.test/"}}, "the scheme is http, https or left out"},
		{purge.Request{Globs: []string{"a.test"}}, "it could hit nothing"},
		{purge.Request{Globs: []string{""}}, "globs[0]"},
		{purge.Request{Globs: []string{"a.test/café*"}}, `percent encoding: write it so from "é*" on`},
		{purge.Request{Prefixes: []string{"a.test/a b"}}, "percent encoding"},
		{purge.Request{Prefixes: []string{"a.test/a#b"}}, "percent encoding"},
		{purge.Request{Groups: []purge.GroupName{{Origin: "a.test", Name: "x"}}}, `groups[0].origin: "a.test"`},
		{purge.Request{Groups: []purge.GroupName{{Origin: "http://a.test/1", Name: "x"}}}, "more than scheme, host and port"},
	} {
		_, err := x.p.Purge(t.Context(), tc.rq)
		var wrong *purge.RequestError
		require.ErrorAs(t, err, &wrong, "%+v", tc.rq)
		assert.Contains(t, err.Error(), tc.want)
	}
	assert.Contains(t, x.get("http://a.test/1"), "; hit", "nothing is purged by a request that is refused")
	assert.Empty(t, x.p.Purges())
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := x.p.Purge(cut, purge.Request{Everything: true, DryRun: true})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestEveryPurgeIsAudited(t *testing.T) {
	x := newPurging(t)
	x.fill("http://a.test/1", "http://a.test/2")
	_, err := x.p.Purge(t.Context(), purge.Request{Tags: []string{"1", "none"}, Soft: true, By: "ann", Via: purge.ViaAPI})
	require.NoError(t, err)
	r := httptest.NewRequest("PURGE", "http://a.test/2", nil)
	w := httptest.NewRecorder()
	x.p.ServeHTTP(w, r)
	assert.Equal(t, 200, w.Code, w.Body)
	_, err = x.p.Purge(t.Context(), purge.Request{Everything: true, Wait: new(bool), By: "bob", Via: purge.ViaAPI})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(x.p.Purges()) == 3 }, 10*time.Second, time.Millisecond)
	got := x.p.Purges()
	for i := range got {
		assert.WithinDuration(t, time.Now(), got[i].Time, time.Minute)
		assert.Less(t, got[i].Took, time.Minute)
		got[i].Time, got[i].Took = time.Time{}, 0
	}
	want := []purge.Audit{
		{By: "bob", Via: "api", What: "everything", Entries: 1, Complete: true},
		{By: "192.0.2.1:1234", Via: "method", What: "url http://a.test/2", Entries: 1, Complete: true},
		{By: "ann", Via: "api", What: "tag 1, tag none", Soft: true, Entries: 1, Complete: true},
	}
	assert.Equal(t, want, got)
	x.mu.Lock()
	defer x.mu.Unlock()
	assert.Len(t, x.heard, 3)
}

func TestTheLastPurgesAreRemembered(t *testing.T) {
	x := newPurging(t)
	for i := range mostAudits + 5 {
		_, err := x.p.Purge(t.Context(), purge.Request{URLs: []string{fmt.Sprintf("http://a.test/%d", i)}})
		require.NoError(t, err)
	}
	last := fmt.Sprintf("url http://a.test/%d", mostAudits+4)
	require.Eventually(t, func() bool { return x.p.Purges()[0].What == last }, time.Minute, time.Millisecond, "it is told when it is counted")
	got := x.p.Purges()
	require.Len(t, got, mostAudits)
	assert.Equal(t, "url http://a.test/5", got[mostAudits-1].What)
	many := make([]string, 20)
	for i := range many {
		many[i] = strings.Repeat("t", 300)
	}
	_, err := x.p.Purge(t.Context(), purge.Request{Tags: many})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return x.p.Purges()[0].What != last }, time.Minute, time.Millisecond)
	what := x.p.Purges()[0].What
	assert.Less(t, len(what), 2000, "it is told in short")
	assert.Contains(t, what, ", and 12 more")
}
