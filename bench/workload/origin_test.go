package workload

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/trace"
)

// send asks the built-in origin and checks the answer as a client does that
// knows nothing but the request.
func send(t *testing.T, o http.Handler, r Request) *httptest.ResponseRecorder {
	in := httptest.NewRequest(r.Method, r.Target, nil)
	if r.Host != "" {
		in.Host = r.Host
	}
	for _, f := range r.Header {
		in.Header.Add(f.Name, f.Value)
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, in)
	if w.Code != http.StatusOK || r.Method == "HEAD" {
		return w
	}
	var body io.Reader = w.Body
	if w.Header().Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		require.NoError(t, err)
		body = unpacked
	}
	got, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Len(t, got, int(r.Size), r.Target)
	require.NoError(t, r.Object.Check(0, got), r.Target)
	return w
}

// TestOriginKnowsWorkloads: what a request says of its object is what the
// built-in origin sends.
func TestOriginKnowsWorkloads(t *testing.T) {
	const everything = "objects=100,sizes=log-uniform:1-64KiB,once=0.1,scan=5/50,head=0.1,post=0.1,ranges=0.2,current=0.2,expired=0.2," +
		"vary-encoding=0.5,vary-language=0.5,hosts=3"
	o, err := testorigin.New(testorigin.Options{})
	require.NoError(t, err)
	for _, text := range []string{"web", "cdn", "hot", everything} {
		tags := map[string]bool{}
		for _, r := range requests(t, text, 1000) {
			plain := r
			plain.Method = "GET"
			plain.Header = nil
			for _, f := range r.Header {
				if strings.HasPrefix(f.Name, "Accept-") {
					plain.Header = append(plain.Header, f)
				}
			}
			tags[send(t, o, plain).Header().Get("Etag")] = true
			want := http.StatusOK
			switch tag := field(r, "If-None-Match"); {
			case field(r, "Range") != "":
				want = http.StatusPartialContent
			case tag != "" && tags[tag]:
				want = http.StatusNotModified
			}
			assert.Equal(t, want, send(t, o, r).Code, "%+v", r)
		}
	}
	c := o.Counters()
	for _, n := range []int64{c.Statuses[304], c.Statuses[206], c.Methods["HEAD"], c.Methods["POST"], c.Gzip, c.Language} {
		assert.Positive(t, n, "nothing is left untried: %+v", c)
	}
	assert.Greater(t, c.Conditional, c.Statuses[304], "some tags have expired")
	assert.Equal(t, c.Requests, c.Statuses[200]+c.Statuses[206]+c.Statuses[304], "all are answered")
}

func TestOriginKnowsTraces(t *testing.T) {
	o, err := testorigin.New(testorigin.Options{})
	require.NoError(t, err)
	w := replay(t, false,
		trace.Request{Method: "GET", Host: "a.example", Target: "/x?q=%20", Status: 200, Size: 5000},
		trace.Request{Method: "GET", Target: "/y/%C3%A9", Status: 404, Size: 9},
		trace.Request{Method: "GET", Target: "/me", Status: 200, Size: 3, Private: true},
		trace.Request{Method: "GET", Target: "/o/5-77"},
		trace.Request{Method: "GET", Target: "/o/5-77?vary=encoding", Status: 200, Size: 100}, // as the log of a proxy under test has it
		trace.Request{Method: "GET", Target: "/o/5%2D77", Status: 200, Size: 9},
	)
	var rules []string
	for _, r := range all(w) {
		answer := send(t, o, r)
		assert.Equal(t, http.StatusOK, answer.Code, r.Target)
		rules = append(rules, answer.Header().Get("Cache-Control"))
	}
	assert.Equal(t, []string{"max-age=3600", "max-age=3600", "no-store", "max-age=3600", "max-age=3600", "max-age=3600"}, rules)
}
