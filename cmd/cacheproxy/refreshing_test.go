package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/admin"
)

// operators runs a command against an operator's side that answers with fn.
func operators(ctx context.Context, fn http.HandlerFunc, args ...string) (code int, stdout, stderr string) {
	s := httptest.NewServer(fn)
	defer s.Close()
	env := func(name string) (string, bool) {
		if name == "CACHEPROXY_ADMIN" {
			return s.Listener.Addr().String(), true
		}
		return "", false
	}
	var out, errs bytes.Buffer
	code = run(ctx, args, env, &out, &errs)
	return code, out.String(), errs.String()
}

// answers are lines for all URLs of a request.
func answers(t *testing.T, w http.ResponseWriter, r *http.Request, line func(url string) string) {
	var rq admin.RefreshRequest
	if !assert.NoError(t, json.NewDecoder(r.Body).Decode(&rq)) {
		return
	}
	for _, url := range rq.URLs {
		fmt.Fprintln(w, line(url))
	}
	fmt.Fprintln(w, `{"done":true}`)
}

func TestRefreshTellsWhatHappened(t *testing.T) {
	lines := map[string]string{
		"http://a/1": `{"url":"http://a/1","variants":[{"status":200,"stored":true,"bytes":2048,"seconds":0.0123,"fields":{"B":"2","A":"1"}}]}`,
		"http://a/2": `{"url":"http://a/2","variants":[{"status":404,"reason":"status"},{"status":503,"reason":"status"}]}`,
		"http://a/3": `{"url":"http://a/3","variants":[{"error":"no answer in time"}]}`,
		"http://a/4": `{"url":"http://a/4","error":"\u001b[2Jhttp://a/4 is no URL"}`,
	}
	code, stdout, stderr := operators(t.Context(), func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "POST /api/refresh", r.Method+" "+r.URL.Path)
		answers(t, w, r, func(url string) string { return lines[url] })
	}, "refresh", "http://a/1", "http://a/2", "http://a/3", "http://a/4")
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, `stored      http://a/1 (status 200, 2.0 KiB, 12 ms); A: 1; B: 2
not stored  http://a/2 (status 404): status
not stored  http://a/2 (status 503): status
failed      http://a/3: no answer in time
\x1b[2Jhttp://a/4 is no URL
`, stdout[:strings.LastIndex(stdout[:len(stdout)-1], "\n")+1])
	assert.Contains(t, stdout, "4 of 4 URLs: 1 stored, 1 not stored, 3 failed; 2.0 KiB in ")
	assert.Contains(t, stderr, "3 could not be fetched")
}

// A long list goes in several requests, and what is as it should be is not told.
func TestWarmSendsInParts(t *testing.T) {
	list := t.TempDir() + "/urls.txt"
	var text strings.Builder
	for i := range 2*refreshBatch + 5 {
		fmt.Fprintf(&text, "http://a/%d\n", i)
	}
	require.NoError(t, os.WriteFile(list, []byte(text.String()), 0o600))
	requests := 0
	code, stdout, stderr := operators(t.Context(), func(w http.ResponseWriter, r *http.Request) {
		requests++
		answers(t, w, r, func(url string) string {
			return fmt.Sprintf(`{"url":%q,"variants":[{"status":200,"stored":true,"bytes":1}]}`, url)
		})
	}, "warm", "--list", list, "-H", "Accept-Encoding: gzip")
	assert.Zero(t, code, stderr)
	assert.Equal(t, 3, requests)
	assert.Regexp(t, `^2005 of 2005 URLs: 2005 stored; 2.0 KiB in .*\n$`, stdout)
	assert.Empty(t, stderr, "no bar where there is no terminal")
}

func TestAnInterruptedRefreshSumsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	code, stdout, stderr := operators(ctx, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, `{"url":"http://a/1","variants":[{"status":200,"stored":true}]}`)
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	}, "refresh", "http://a/1", "http://a/2")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "interrupted after")
	assert.Contains(t, stderr, "of 2 URLs")
	assert.NotContains(t, stdout, "2 of 2")
}

func TestAProxyThatStopsAnswering(t *testing.T) {
	for name, fn := range map[string]http.HandlerFunc{
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, `{"url":"http://a/1","variants":[{"status":200,"stored":true}]}`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"no end": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, `{"url":"http://a/1","variants":[{"status":200,"stored":true}]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := operators(t.Context(), fn, "refresh", "http://a/1", "http://a/2")
			assert.Equal(t, exitFailed, code)
			assert.Contains(t, stderr, "after 1 of 2 URLs: 127.0.0.1:")
			assert.Contains(t, stderr, "stopped answering")
			assert.Contains(t, stdout, "1 of 2 URLs: 1 stored")
		})
	}
}

func TestWhatTheOperatorsSideRefuses(t *testing.T) {
	for status, tc := range map[int]struct{ body, want string }{
		401: {"", "wants the proxy's admin token"},
		404: {"404 page not found", "does not know /api/refresh"},
		405: {"", "does not know /api/refresh"},
		400: {`{"error":"urls is empty\u0007"}`, `urls is empty\x07`},
		502: {"<h1>Bad\tGateway</h1>", `answered 502 Bad Gateway: <h1>Bad\x09Gateway</h1>`},
	} {
		code, stdout, stderr := operators(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, tc.body)
		}, "refresh", "http://a/1")
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, stderr, tc.want)
		assert.Empty(t, stdout)
	}
}

// A snapshot that breaks off is not kept, nor does it take the place of the one before.
func TestASnapshotThatBreaksOffIsNotSaved(t *testing.T) {
	path := t.TempDir() + "/cache.snapshot"
	require.NoError(t, os.WriteFile(path, []byte("the old one"), 0o600))
	code, _, stderr := operators(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", 10_000))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, "snapshot", "save", path)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "broke off, and nothing is saved")
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "the old one", string(left))
}
