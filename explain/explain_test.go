package explain

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup is a configuration with one origin, which answers by a function.
func setup(t *testing.T, answer http.HandlerFunc) Setup {
	t.Helper()
	server := httptest.NewServer(answer)
	o, err := origin.New(server.URL, origin.Options{})
	require.NoError(t, err)
	t.Cleanup(func() {
		o.Close()
		server.Close()
	})
	base := proxy.Settings{Rules: policy.DefaultRules()}
	rules := []proxy.Rule{{Path: "/img/*", Change: func(s *proxy.Settings) { s.MaxTTL = 10 * time.Second }}}
	return Setup{
		Config:    &proxy.Config{Name: "cacheproxy", Token: "t", Routes: []*proxy.Route{{Name: "site", Origin: o, Base: base, Rules: rules}}},
		MaxObject: 1 << 20, MaxVariants: 8,
	}
}

func withHeader(name, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(name, value)
		_, _ = w.Write([]byte("hello"))
	}
}

func offline(t *testing.T, s Setup, q Request) Report {
	t.Helper()
	r, err := Offline(t.Context(), s, q)
	require.NoError(t, err)
	return r
}

func TestTwice(t *testing.T) {
	r := offline(t, setup(t, withHeader("Cache-Control", "max-age=60")), Request{URL: "http://www.example.com/a?b=c", Twice: true})
	require.Len(t, r.Answers, 2)
	miss, hit := r.Answers[0], r.Answers[1]
	assert.Equal(t, "MISS", miss.Result)
	assert.True(t, miss.IsStored)
	assert.Equal(t, "http://www.example.com/a?b=c", miss.Key)
	assert.Equal(t, "HIT", hit.Result)
	assert.Equal(t, "cache", hit.From)
	assert.EqualValues(t, 5, hit.Bytes)
	require.Len(t, hit.Stored, 1)
	assert.Equal(t, float64(60), hit.Stored[0].Lifetime)
	assert.Equal(t, "max-age", hit.Stored[0].Source)
	assert.Contains(t, text(t, r), "the origin's `Cache-Control: max-age=60` gives a lifetime of 60 s (RFC 9111,")
	assert.Contains(t, hit.Advice[0], "this is a hit")
	assert.Contains(t, miss.Advice[0], "It is stored now: for the next 60 s this request is a hit.")
}

// What is stored need not be a hit the next time.
func TestStoredIsNoHit(t *testing.T) {
	for header, want := range map[string]string{
		"no-cache, max-age=60":                "every use of it is validated",
		"max-age=0, stale-while-revalidate=9": "stale already: the next request has it validated, or gets it while it is refreshed",
	} {
		r := offline(t, setup(t, withHeader("Cache-Control", header)), Request{URL: "http://www.example.com/"})
		if a := r.Answers[0]; assert.True(t, a.IsStored, header) {
			assert.Contains(t, a.Advice[0], want)
		}
	}
}

func TestRefused(t *testing.T) {
	r := offline(t, setup(t, withHeader("Cache-Control", "private")), Request{URL: "https://www.example.com/", Headers: map[string]string{"accept": "a"}})
	a := r.Answers[0]
	assert.Equal(t, "private", a.Refused)
	assert.Empty(t, a.Stored)
	require.Len(t, a.Advice, 1)
	assert.Contains(t, a.Advice[0], "The origin sends `private`.")
	assert.Equal(t, "https://www.example.com/", a.Key)
}

func TestRules(t *testing.T) {
	r := offline(t, setup(t, withHeader("Cache-Control", "max-age=60")), Request{URL: "http://e.example/img/a"})
	assert.Contains(t, flat(text(t, r)), "rule 1 of 1, for path /img/*, applies: max_ttl 10 s")
	assert.Contains(t, flat(text(t, r)), "max_ttl turns the lifetime of 60 s into 10 s")
}

// What comes from elsewhere does not steer the terminal, and lines are short.
func TestText(t *testing.T) {
	r := offline(t, setup(t, withHeader("Cache-Control", "private, x=\"\x80\x9b31m\"")), Request{URL: "http://e.example/" + strings.Repeat("a ", 3) + strings.Repeat("b", 100) + "?%1b[31m\u009b"})
	for _, colour := range []bool{false, true} {
		var b bytes.Buffer
		require.NoError(t, r.Text(&b, colour))
		if !colour {
			assert.NotContains(t, b.String(), "\x1b")
			assert.NotContains(t, b.String(), "\u009b")
			for line := range strings.Lines(b.String()) {
				if strings.Count(strings.TrimSpace(line), " ") > 1 && !strings.Contains(line, "bbbb") {
					assert.LessOrEqual(t, len(line), width+1, line)
				}
			}
			assert.Contains(t, b.String(), "To get another result\n  - The origin sends `private`.")
			continue
		}
		assert.Contains(t, b.String(), "\x1b[1mThe request\x1b[0m")
		assert.Contains(t, b.String(), "\x1b[33m")
	}
}

// A report survives the way over the API.
func TestJSON(t *testing.T) {
	r := offline(t, setup(t, withHeader("Cache-Control", "max-age=60")), Request{URL: "http://e.example/a", Method: "head"})
	b, err := json.Marshal(r)
	require.NoError(t, err)
	var again Report
	require.NoError(t, json.Unmarshal(b, &again))
	assert.Equal(t, text(t, r), text(t, again))
	assert.Equal(t, "HEAD", again.Method)
}

func TestInvalidRequests(t *testing.T) {
	s := setup(t, withHeader("A", "b"))
	for _, tc := range []struct {
		q    Request
		want string
	}{
		{Request{}, "url: it is missing"},
		{Request{URL: "/a"}, "is not an absolute URL"},
		{Request{URL: "ftp://a.example/"}, "is not an absolute URL"},
		{Request{URL: "http://u:p@a.example/"}, "without a user"},
		{Request{URL: "http://a.example/%zz"}, "is no URL"},
		{Request{URL: "http://a.example/", Method: "DELETE"}, `"DELETE" may change things at the origin`},
		{Request{URL: "http://a.example/", Headers: map[string]string{"a b": "c"}}, `"a b" is not the name of a field`},
		{Request{URL: "http://a.example/", Headers: map[string]string{"A": "b\r\nc"}}, "the value of A has bytes"},
		{Request{URL: "http://a.example/", Headers: map[string]string{"Content-length": "5"}}, "Content-length is about connections and content"},
		{Request{URL: "http://a.example/" + strings.Repeat("a", mostURL)}, "longer than"},
	} {
		_, err := Offline(t.Context(), s, tc.q)
		var wrong *Invalid
		require.ErrorAs(t, err, &wrong)
		assert.Contains(t, err.Error(), tc.want)
	}
}

// An origin that cannot be reached is an answer, and no error.
func TestOriginDown(t *testing.T) {
	s := setup(t, withHeader("A", "b"))
	o, err := origin.New("http://127.0.0.1:1", origin.Options{})
	require.NoError(t, err)
	defer o.Close()
	s.Config.Routes[0].Origin = o
	a := offline(t, s, Request{URL: "http://a.example/"}).Answers[0]
	assert.Equal(t, 502, a.Status)
	assert.Equal(t, "origin-unreachable", a.Reason)
	assert.Equal(t, "proxy", a.From)
	assert.Contains(t, a.Advice[0], "Look whether the origin's address")
}

// Who asks may stop waiting.
func TestContext(t *testing.T) {
	s := setup(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Offline(ctx, s, Request{URL: "http://a.example/"})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// drip is an origin whose content comes in single bytes, after so long each, and never ends.
type drip time.Duration

func (drip) URL() *url.URL { return &url.URL{Scheme: "http", Host: "origin.test"} }

func (d drip) RoundTrip(r *http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {"max-age=60"}}
	return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: -1, Request: r,
		Body: &dripping{ctx: r.Context(), every: time.Duration(d), closed: make(chan struct{})}}, nil
}

type dripping struct {
	ctx    context.Context
	every  time.Duration
	closed chan struct{}
	once   sync.Once
}

func (d *dripping) Read(b []byte) (int, error) {
	select {
	case <-time.After(d.every):
		b[0] = 'x'
		return 1, nil
	case <-d.closed:
		return 0, http.ErrBodyReadAfterClose
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (d *dripping) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// Content that never ends does not keep the answer from being told, and is not known to
// be stored; neither do events that do not come.
func TestEndlessContent(t *testing.T) {
	for every, bytes := range map[time.Duration]int64{1600 * time.Millisecond: 18, time.Hour: 0} {
		synctest.Test(t, func(t *testing.T) {
			s := Setup{Config: &proxy.Config{Name: "cacheproxy", Token: "t", Routes: []*proxy.Route{
				{Name: "site", Origin: drip(every), Base: proxy.Settings{Rules: policy.DefaultRules()}},
			}}, MaxObject: 1 << 20, MaxVariants: 8}
			began := time.Now()
			a := offline(t, s, Request{URL: "http://www.example.com/"}).Answers[0]
			assert.Equal(t, MostTime, time.Since(began))
			assert.True(t, a.Cut)
			assert.Equal(t, 200, a.Status)
			assert.Equal(t, bytes, a.Bytes)
			assert.Equal(t, []string{policy.URIMiss.Advice()}, a.Advice)
			assert.Contains(t, a.summary(), "The rest was not read.")
			assert.NotContains(t, a.summary(), "; stored")
		})
	}
}

// Content that is longer than is read here is cut, too.
func TestLargeContent(t *testing.T) {
	d := &discard{header: make(http.Header), room: 10}
	_, err := d.Write(make([]byte, 10))
	require.NoError(t, err)
	assert.False(t, d.end())
	_, err = d.Write([]byte("x"))
	assert.Error(t, err)
	assert.True(t, d.end())
}

func TestRing(t *testing.T) {
	r := NewRing(2)
	observe := func(id string) *policy.Trace {
		trace := new(policy.Trace)
		trace.Note(policy.StepKey, "key", id)
		r.Observe(&proxy.Outcome{RequestID: id, Trace: trace, Start: time.Now()})
		return trace
	}
	r.Observe(&proxy.Outcome{RequestID: "untraced"})
	_, ok := r.Get("untraced")
	assert.False(t, ok)
	first := observe("a")
	observe("b")
	a, ok := r.Get("a")
	require.True(t, ok)
	assert.Len(t, a.Steps, 1)
	first.Note(policy.StepAdmitted) // in the background
	a, _ = r.Get("a")
	assert.Len(t, a.Steps, 2)
	observe("b") // once more: the newest counts
	_, ok = r.Get("a")
	assert.False(t, ok, "the oldest goes")
	observe("c")
	observe("d")
	_, ok = r.Get("b")
	assert.False(t, ok)
	_, ok = r.Get("d")
	assert.True(t, ok)
	assert.Len(t, r.byID, 2)
}

// A full ring stays within its bound.
func TestRingIsBounded(t *testing.T) {
	trace := new(policy.Trace)
	long := strings.Repeat("x", 1<<20)
	for range 1000 {
		trace.Note(policy.StepGoverns, "field", long, "value", long, "directives", []string{long, long})
	}
	r := NewRing(1)
	r.Observe(&proxy.Outcome{RequestID: "a", URI: long, Host: long, Key: long, Trace: trace})
	a, _ := r.Get("a")
	a.Steps = nil
	b, err := json.Marshal(a)
	require.NoError(t, err)
	assert.Less(t, len(b), 16<<10)
}

func text(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.Text(&b, false))
	return b.String()
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestBuild(t *testing.T) {
	r, err := (&Request{URL: "https://A.example:8443", Headers: map[string]string{"host": "b.example", "x-y": "z"}}).build(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "b.example", r.Host)
	assert.Equal(t, http.Header{"X-Y": {"z"}}, r.Header)
	assert.Equal(t, &url.URL{Path: "/"}, r.URL)
	assert.Equal(t, "/", r.RequestURI)
	assert.NotNil(t, r.TLS)
}
