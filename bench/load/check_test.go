package load

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/workload"
)

// object is a request for an object of the built-in origin.
func object(target string, size int64, fields ...string) workload.Request {
	r := workload.Request{Method: "GET", Target: target, Size: size}
	language := ""
	for i := 0; i < len(fields); i += 2 {
		r.Header = append(r.Header, workload.Field{Name: fields[i], Value: fields[i+1]})
		if fields[i] == "Accept-Language" {
			language = testorigin.Language(fields[i+1])
		}
	}
	r.Object = testorigin.Identify("", target, language)
	return r
}

// fixed is a source of one request.
type fixed struct{ workload.Request }

func (f fixed) Next() (workload.Request, bool) { return f.Request, true }

// TestWrongContentsAreFound puts caches before the origin that do what a cache
// must not do.
func TestWrongContentsAreFound(t *testing.T) {
	origin, err := testorigin.New(testorigin.Options{})
	require.NoError(t, err)
	// instead answers with what the origin has for another request.
	instead := func(target string, fields ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			other := httptest.NewRequest("GET", target, nil)
			for i := 0; i < len(fields); i += 2 {
				other.Header.Set(fields[i], fields[i+1])
			}
			origin.ServeHTTP(w, other)
		}
	}
	gzip := []string{"Accept-Encoding", "gzip"}
	etag := testorigin.ETag(testorigin.Identify("", "/o/1-1000", ""), 1000, false)
	for _, tc := range []struct {
		name    string
		request workload.Request
		cache   http.HandlerFunc
		kind    string // "" = right
		want    string
	}{
		{"right", object("/o/1-1000", 1000), origin.ServeHTTP, "", ""},
		{"another object of this size", object("/o/1-1000", 1000), instead("/o/2-1000"), "wrong content", "byte 0 is"},
		{"another size", object("/o/1-1000", 1000), instead("/o/1-999"), "wrong content", "byte 0 is"},
		{"one byte", object("/o/1-1000", 1000), garbled(origin, 777), "wrong content", "byte 777 is"},
		{"cut off cleanly", object("/o/1-1000", 1000), cropped(origin, 500), "wrong content", "500 bytes, not 1000"},
		{"right gzip", object("/o/1-1000?vary=encoding", 1000, gzip...), origin.ServeHTTP, "", ""},
		{"gzip for who does not want it", object("/o/1-1000?vary=encoding", 1000), instead("/o/1-1000?vary=encoding", gzip...), "wrong content", "gzip, which the client does not accept"},
		{"gzip of another object", object("/o/1-1000?vary=encoding", 1000, gzip...), instead("/o/2-1000?vary=encoding", gzip...), "wrong content", "byte 0 is"},
		{"right language", object("/o/1-1000?vary=language", 1000, "Accept-Language", "de"), origin.ServeHTTP, "", ""},
		{"another language", object("/o/1-1000?vary=language", 1000, "Accept-Language", "de"), instead("/o/1-1000?vary=language", "Accept-Language", "fr"), "wrong content", `language "fr", not "de"`},
		{"right part", object("/o/1-1000", 1000, "Range", "bytes=10-19"), origin.ServeHTTP, "", ""},
		{"whole instead of a part", object("/o/1-1000", 1000, "Range", "bytes=10-19"), instead("/o/1-1000"), "", ""},
		{"another part", object("/o/1-1000", 1000, "Range", "bytes=10-19"), instead("/o/1-1000", "Range", "bytes=11-20"), "wrong content", "Content-Range: bytes 11-20/1000"},
		{"a part unasked", object("/o/1-1000", 1000), instead("/o/1-1000", "Range", "bytes=11-20"), "status", "status 206"},
		{"right 304", object("/o/1-1000", 1000, "If-None-Match", etag), origin.ServeHTTP, "", ""},
		{"304 for what has changed", object("/o/1-1000", 1000, "If-None-Match", `"old"`), instead("/o/1-1000", "If-None-Match", etag), "wrong content", "304, but the client has another content"},
		{"404", object("/o/1-1000", 1000), http.NotFound, "status", "status 404"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := httptest.NewServer(tc.cache)
			defer s.Close()
			r, err := Run(t.Context(), Options{
				Target: target(s.URL), Source: fixed{tc.request}, Connections: 1, Timeout: 10 * time.Second,
				Measured: Part{Requests: 2}, Check: true,
			})
			require.NoError(t, err)
			if tc.kind == "" {
				require.Empty(t, r.Errors)
				return
			}
			require.Len(t, r.Errors, 1)
			assert.Equal(t, tc.kind, r.Errors[0].Kind)
			assert.Contains(t, r.Errors[0].Example, tc.want)
			assert.Contains(t, r.Errors[0].Example, "GET "+tc.request.Target, "one wants to look at it")
			assert.Equal(t, int64(2), r.Errors[0].Requests)
		})
	}
}

// garbled changes one byte.
func garbled(h http.Handler, at int) http.HandlerFunc {
	return edited(h, func(body []byte) []byte { body[at]++; return body })
}

// cropped cuts the body off and says so.
func cropped(h http.Handler, to int) http.HandlerFunc {
	return edited(h, func(body []byte) []byte { return body[:to] })
}

func edited(h http.Handler, edit func([]byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		_, _ = w.Write(edit(bytes.Clone(rec.Body.Bytes())))
	}
}

func TestHeadLengths(t *testing.T) {
	r := object("/o/1-1000", 1000)
	r.Method = "HEAD"
	for length, wrong := range map[string]bool{"1000": false, "999": true} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", length) }))
		out, err := Run(t.Context(), Options{
			Target: target(s.URL), Source: fixed{r}, Connections: 1, Timeout: 10 * time.Second, Measured: Part{Requests: 1}, Check: true,
		})
		s.Close()
		require.NoError(t, err)
		assert.Equal(t, wrong, out.Failed() == 1, length)
		if wrong {
			assert.True(t, strings.HasSuffix(out.Errors[0].Example, "Content-Length is 999, not 1000"), out.Errors[0].Example)
		}
	}
}

func TestRangesFit(t *testing.T) {
	for _, tc := range []struct {
		spec     string
		from, to int64
		want     bool
	}{
		{"10-19", 10, 19, true}, {"990-2000", 990, 999, true}, {"990-", 990, 999, true}, {"-10", 990, 999, true},
		{"-2000", 0, 999, true}, {"-10", 989, 999, false}, {"-10", 990, 998, false}, {"10-19", 10, 20, false}, {"10-", 10, 19, false},
		{"x-19", 10, 19, false}, {"-", 0, 999, false}, {"", 0, 999, false}, {"10-x", 10, 19, false},
	} {
		assert.Equal(t, tc.want, fits(tc.spec, tc.from, tc.to, 1000), "%s: %d-%d", tc.spec, tc.from, tc.to)
	}
}
