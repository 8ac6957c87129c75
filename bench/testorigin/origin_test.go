package testorigin

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func origin(t testing.TB, o Options) *Origin {
	out, err := New(o)
	require.NoError(t, err)
	return out
}

// request is "METHOD target" with fields, name and value in turn.
func request(line string, fields ...string) *http.Request {
	method, target, _ := strings.Cut(line, " ")
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// get is the answer to a request.
func get(o http.Handler, line string, fields ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	o.ServeHTTP(w, request(line, fields...))
	return w
}

func TestAnswers(t *testing.T) {
	o := origin(t, Options{})
	plain := get(o, "GET /o/7-1000").Header()
	tag, modified := plain.Get("Etag"), plain.Get("Last-Modified")
	require.NotEmpty(t, tag)
	at, err := http.ParseTime(modified)
	require.NoError(t, err)
	earlier, later := at.Add(-time.Second).Format(http.TimeFormat), at.Add(time.Second).Format(http.TimeFormat)
	for _, tc := range []struct {
		name     string
		line     string
		fields   []string
		status   int
		from, to int // of the body
		header   map[string]string
	}{
		{"whole", "GET /o/7-1000", nil, 200, 0, 1000, map[string]string{"Content-Length": "1000", "Cache-Control": "max-age=3600", "Accept-Ranges": "bytes", "Vary": ""}},
		{"empty", "GET /o/7-0", nil, 200, 0, 0, map[string]string{"Content-Length": "0"}},
		{"head", "HEAD /o/7-1000", nil, 200, 0, 0, map[string]string{"Content-Length": "1000", "Etag": tag}},
		{"post", "POST /o/7-1000", []string{"If-None-Match", tag}, 200, 0, 1000, map[string]string{"Cache-Control": "no-store"}},
		{"of a size that the client says", "GET /any?x=1", []string{SizeField, "300"}, 200, 0, 300, map[string]string{"Content-Length": "300"}},
		{"of a whole URL", "GET http://a.example/o/7-1000", nil, 200, 0, 1000, map[string]string{"Etag": tag}},
		{"private", "GET /o/7-1000", []string{PrivateField, "1"}, 200, 0, 1000, map[string]string{"Cache-Control": "no-store"}},

		{"tag that it has", "GET /o/7-1000", []string{"If-None-Match", tag}, 304, 0, 0, map[string]string{"Etag": tag, "Content-Length": "", "Cache-Control": "max-age=3600"}},
		{"tag of HEAD", "HEAD /o/7-1000", []string{"If-None-Match", tag}, 304, 0, 0, nil},
		{"weak tag in a list", "GET /o/7-1000", []string{"If-None-Match", `"x", W/` + tag}, 304, 0, 0, nil},
		{"any tag", "GET /o/7-1000", []string{"If-None-Match", "*"}, 304, 0, 0, nil},
		{"other tag", "GET /o/7-1000", []string{"If-None-Match", `"x"`}, 200, 0, 1000, nil},
		{"other tag goes before the date", "GET /o/7-1000", []string{"If-None-Match", `"x"`, "If-Modified-Since", later}, 200, 0, 1000, nil},
		{"not modified since", "GET /o/7-1000", []string{"If-Modified-Since", modified}, 304, 0, 0, nil},
		{"modified since", "GET /o/7-1000", []string{"If-Modified-Since", earlier}, 200, 0, 1000, nil},
		{"since no date", "GET /o/7-1000", []string{"If-Modified-Since", "yesterday"}, 200, 0, 1000, nil},

		{"range", "GET /o/7-1000", []string{"Range", "bytes=10-19"}, 206, 10, 20, map[string]string{"Content-Range": "bytes 10-19/1000", "Content-Length": "10"}},
		{"range of which a tag is still true", "GET /o/7-1000", []string{"Range", "bytes=10-19", "If-Range", tag}, 206, 10, 20, nil},
		{"range of which a date is still true", "GET /o/7-1000", []string{"Range", "bytes=10-19", "If-Range", modified}, 206, 10, 20, nil},
		{"range of something older", "GET /o/7-1000", []string{"Range", "bytes=10-19", "If-Range", earlier}, 200, 0, 1000, nil},
		{"range that is not there", "GET /o/7-1000", []string{"Range", "bytes=1000-"}, 416, 0, 0, map[string]string{"Content-Range": "bytes */1000", "Content-Length": "0"}},
		{"several ranges", "GET /o/7-1000", []string{"Range", "bytes=0-1,5-6"}, 200, 0, 1000, map[string]string{"Content-Range": ""}},
		{"range and tag that it has", "GET /o/7-1000", []string{"Range", "bytes=0-1", "If-None-Match", tag}, 304, 0, 0, nil},
		{"range of HEAD", "HEAD /o/7-1000", []string{"Range", "bytes=0-1"}, 200, 0, 0, map[string]string{"Content-Length": "1000"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := get(o, tc.line, tc.fields...)
			assert.Equal(t, tc.status, w.Code)
			for name, value := range tc.header {
				assert.Equal(t, value, w.Header().Get(name), name)
			}
			require.Equal(t, tc.to-tc.from, w.Body.Len())
			target := tc.line[strings.Index(tc.line, " /")+1:]
			if strings.Contains(tc.line, "://") {
				target = "/o/7-1000"
			}
			assert.NoError(t, Identify("", target, "").Check(int64(tc.from), w.Body.Bytes()))
		})
	}
}

func TestRefusals(t *testing.T) {
	o := origin(t, Options{})
	for line, want := range map[string]int{
		"GET /":                      404,
		"GET /o/7":                   404,
		"GET /o/7-x":                 404,
		"GET /o/7--1":                404,
		"GET /o/7-99999999999999999": 404,
		"HEAD /nothing":              404,
		"POST /bench/counters":       404,
		"GET /bench/reset":           404,
		"PUT /o/7-10":                405,
		"DELETE /o/7-10":             405,
		"PURGE /o/7-10":              405,
	} {
		w := get(o, line)
		assert.Equal(t, want, w.Code, line)
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"), line)
		assert.Empty(t, w.Header().Get("Etag"), line)
		if want == 405 {
			assert.Equal(t, "GET, HEAD, POST", w.Header().Get("Allow"), line)
		}
		if !strings.HasPrefix(line, "HEAD") {
			assert.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"), line)
		}
	}
	for _, size := range []string{"", "-1", "x", "99999999999999999999"} {
		assert.Equal(t, 404, get(o, "GET /any", SizeField, size).Code, size)
	}
}

func TestVariants(t *testing.T) {
	o := origin(t, Options{})
	const both = "/o/7-1000?" + VaryBoth
	w := get(o, "GET "+both, "Accept-Language", "de-AT, en", "Accept-Encoding", "br", "Accept-Encoding", "gzip")
	assert.Equal(t, "Accept-Encoding, Accept-Language", w.Header().Get("Vary"))
	assert.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	assert.Equal(t, "de", w.Header().Get("Content-Language"))
	assert.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"))
	form := bytes.Clone(w.Body.Bytes())
	z, err := gzip.NewReader(w.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(z)
	require.NoError(t, err)
	assert.Len(t, body, 1000)
	assert.NoError(t, Identify("", both, "de").Check(0, body))

	part := get(o, "GET "+both, "Accept-Language", "de", "Accept-Encoding", "gzip", "Range", "bytes=5-29")
	assert.Equal(t, 206, part.Code)
	assert.Equal(t, form[5:30], part.Body.Bytes())
	assert.Equal(t, fmt.Sprintf("bytes 5-29/%d", len(form)), part.Header().Get("Content-Range"))

	plain := get(o, "GET "+both, "Accept-Language", "de")
	assert.Empty(t, plain.Header().Get("Content-Encoding"))
	assert.Equal(t, body, plain.Body.Bytes(), "the coding does not change the content")
	assert.NotEqual(t, w.Header().Get("Etag"), plain.Header().Get("Etag"), "but the tag: it is strong")

	english := get(o, "GET "+both)
	assert.Equal(t, "en", english.Header().Get("Content-Language"))
	assert.NoError(t, Identify("", both, "en").Check(0, english.Body.Bytes()))
	assert.Error(t, Identify("", both, "de").Check(0, english.Body.Bytes()))

	assert.Equal(t, "Accept-Encoding", get(o, "GET /o/7-1?"+VaryEncoding).Header().Get("Vary"))
	assert.Equal(t, "Accept-Language", get(o, "GET /o/7-1?"+VaryLanguage).Header().Get("Vary"))
	assert.Empty(t, get(o, "GET /o/7-1?x", "Accept-Encoding", "gzip").Header().Get("Content-Encoding"))
}

func TestHostOfTheClient(t *testing.T) {
	o := origin(t, Options{})
	w := get(o, "GET /x", SizeField, "100", HostField, "a.example")
	assert.NoError(t, Identify("a.example", "/x", "").Check(0, w.Body.Bytes()))
	assert.NotEqual(t, get(o, "GET /x", SizeField, "100").Body.Bytes(), w.Body.Bytes())
}

func TestCacheControl(t *testing.T) {
	for _, value := range []string{"max-age=1, stale-while-revalidate=60", "no-cache", "no-store"} {
		o := origin(t, Options{CacheControl: value})
		rule := func(line string, fields ...string) string {
			return get(o, line, fields...).Header().Get("Cache-Control")
		}
		assert.Equal(t, value, rule("GET /o/1-10"))
		assert.Equal(t, value, rule("HEAD /o/1-10"))
		assert.Equal(t, value, rule("GET /o/1-10", "If-None-Match", "*"), "a 304 renews it")
		assert.Zero(t, o.Counters().NoStore, "those that are so by themselves")
		assert.Equal(t, "no-store", rule("GET /o/1-10", PrivateField, "1"), "what is private stays it")
		assert.Equal(t, "no-store", rule("POST /o/1-10"))
		assert.Equal(t, "no-store", rule("GET /missing"))
	}
}

func TestNewRefuses(t *testing.T) {
	for want, o := range map[string]Options{
		`CacheControl "a\r\nB: c" cannot be sent`: {CacheControl: "a\r\nB: c"},
		"Latency is -1ns":                         {Latency: -1},
	} {
		_, err := New(o)
		assert.ErrorContains(t, err, want)
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := origin(t, Options{Latency: 20 * time.Millisecond})
		start := time.Now()
		assert.Equal(t, 200, get(o, "GET /o/1-1").Code)
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
	})
}

func TestClientThatGoesWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := origin(t, Options{Latency: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
			o.ServeHTTP(httptest.NewRecorder(), request("GET /o/1-1").WithContext(ctx))
		}, "the connection ends without an answer")
		assert.Equal(t, time.Second, time.Since(start))
		assert.Zero(t, o.Counters().Requests)
	})
}

func TestCounters(t *testing.T) {
	o := origin(t, Options{})
	tag := get(o, "GET /o/1-100").Header().Get("Etag")
	get(o, "GET /o/1-100", "If-None-Match", tag)
	get(o, "GET /o/1-100", "Range", "bytes=0-9")
	get(o, "HEAD /o/1-100?"+VaryLanguage)
	post := get(o, "POST /o/1-7")
	gzipped := get(o, "GET /o/1-100?"+VaryEncoding, "Accept-Encoding", "gzip")
	missing := get(o, "GET /missing")
	refused := get(o, "PATCH /o/1-100")
	want := Counters{
		Requests:    8,
		BodyBytes:   int64(100 + 10 + post.Body.Len() + gzipped.Body.Len() + missing.Body.Len() + refused.Body.Len()),
		Methods:     map[string]int64{"GET": 5, "HEAD": 1, "POST": 1, "other": 1},
		Statuses:    map[int]int64{200: 4, 206: 1, 304: 1, 404: 1, 405: 1},
		Conditional: 1, Range: 1, Gzip: 1, Language: 1, NoStore: 3,
	}
	assert.Equal(t, want, o.Counters())
	assert.Equal(t, want, o.Reset())
	assert.Equal(t, newCounters(), o.Counters())
}

// frail is a client that goes away after some bytes of the body.
type frail struct {
	header http.Header
	room   int
	during func()
}

func (f *frail) Header() http.Header { return f.header }
func (f *frail) WriteHeader(int)     {}
func (f *frail) Write(p []byte) (int, error) {
	n := min(f.room, len(p))
	f.room -= n
	if n < len(p) {
		f.during()
		return n, errors.New("gone")
	}
	return n, nil
}

func TestAbortedAnswer(t *testing.T) {
	for _, target := range []string{"/o/1-1000000", "/o/1-1000000?" + VaryEncoding} {
		o := origin(t, Options{})
		r := request("GET "+target, "Accept-Encoding", "gzip")
		o.ServeHTTP(&frail{http.Header{}, 300_000, func() {}}, r)
		c := o.Counters()
		assert.Equal(t, int64(300_000), c.BodyBytes, "what was sent")
		assert.Equal(t, int64(1), c.Aborted)

		// Of an answer that was counted before a reset nothing is taken back after it.
		o.ServeHTTP(&frail{http.Header{}, 10, func() { o.Reset() }}, r)
		assert.Equal(t, newCounters(), o.Counters())
	}
}

func FuzzParseRange(f *testing.F) {
	for _, value := range []string{"bytes=0-9", "bytes=5-", "bytes=-5", "bytes=-0", "bytes=9-5", "bytes=-", "x", "bytes=1-2,3-4", "Bytes = 1-2"} {
		f.Add(value, int64(10))
	}
	f.Fuzz(func(t *testing.T, value string, length int64) {
		if length < 0 {
			return
		}
		from, to, ok := parseRange(value, length)
		if ok && from < to {
			require.GreaterOrEqual(t, from, int64(0))
			require.LessOrEqual(t, to, length)
			again, end, ok := parseRange(fmt.Sprintf("bytes=%d-%d", from, to-1), length)
			require.True(t, ok)
			require.Equal(t, [2]int64{from, to}, [2]int64{again, end})
		}
	})
}

// sink is a client that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkServe(b *testing.B) {
	o := origin(b, Options{})
	for _, target := range []string{"/o/1-1024", "/o/1-1048576", "/o/1-1048576?" + VaryEncoding} {
		b.Run(target, func(b *testing.B) {
			r := request("GET "+target, "Accept-Encoding", "gzip")
			b.ReportAllocs()
			for b.Loop() {
				o.ServeHTTP(&sink{make(http.Header, 10)}, r)
			}
		})
	}
}
