package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
)

// refreshes is a handler whose refreshes are those of fn.
func refreshes(fn func(ctx context.Context, url string, header http.Header, onlyMissing bool) (proxy.RefreshResult, error)) http.Handler {
	return New(Options{Metrics: NewMetrics(Sources{}), Refresh: fn})
}

func post(ctx context.Context, h http.Handler, path, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body)).WithContext(ctx)
	r.Host = "localhost:8081"
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func refreshLines(t *testing.T, body string) (all []RefreshLine) {
	for line := range strings.Lines(body) {
		var l RefreshLine
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		all = append(all, l)
	}
	return all
}

func TestRefreshTellsOfEachURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		h := refreshes(func(_ context.Context, url string, header http.Header, onlyMissing bool) (proxy.RefreshResult, error) {
			assert.Equal(t, http.Header{"Accept-Encoding": {"gzip"}}, header)
			assert.True(t, onlyMissing)
			if url == "bad" {
				return proxy.RefreshResult{URL: url}, errors.New("it is no URL")
			}
			return proxy.RefreshResult{URL: url, Variants: []proxy.RefreshVariant{{Status: 200, Stored: true, Bytes: 5}}}, nil
		})
		w := post(t.Context(), h, "/api/refresh", "application/json",
			`{"urls":["http://a/1","bad","http://a/2"],"rate":2,"only_missing":true,"headers":{"accept-encoding":"gzip"}}`)
		assert.Equal(t, 200, w.Code)
		assert.Equal(t, "application/x-ndjson", w.Header().Get("Content-Type"))
		assert.Equal(t, time.Second, time.Since(start), "three at two a second")
		got := refreshLines(t, w.Body.String())
		require.Len(t, got, 4)
		assert.Equal(t, "http://a/1", got[0].URL)
		assert.Equal(t, []proxy.RefreshVariant{{Status: 200, Stored: true, Bytes: 5}}, got[0].Variants)
		assert.Equal(t, "bad", got[1].URL)
		assert.Equal(t, "it is no URL", got[1].Error)
		assert.Equal(t, RefreshLine{Done: true}, got[3])
	})
}

func TestRefreshHasATempoOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		h := refreshes(func(_ context.Context, url string, _ http.Header, _ bool) (proxy.RefreshResult, error) {
			return proxy.RefreshResult{URL: url}, nil
		})
		post(t.Context(), h, "/api/refresh", "application/json", `{"urls":[`+strings.Repeat(`"http://a/",`, 20)+`"http://a/"]}`)
		assert.Equal(t, 2*time.Second, time.Since(start), "ten a second")
	})
}

// However fast they come, so many are fetched at a time, of all requests together.
func TestRefreshesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		h := refreshes(func(_ context.Context, url string, _ http.Header, _ bool) (proxy.RefreshResult, error) {
			n := now.Add(1)
			defer now.Add(-1)
			most.Store(max(most.Load(), n))
			time.Sleep(time.Second)
			return proxy.RefreshResult{URL: url}, nil
		})
		body := `{"rate":10000,"urls":[` + strings.Repeat(`"http://a/",`, 39) + `"http://a/"]}`
		done := make(chan int)
		for range 2 {
			go func() {
				done <- len(refreshLines(t, post(t.Context(), h, "/api/refresh", "application/json", body).Body.String()))
			}()
		}
		assert.Equal(t, 41, <-done)
		assert.Equal(t, 41, <-done)
		assert.EqualValues(t, refreshesAtOnce, most.Load())
	})
}

func TestRefreshEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		asked := 0
		h := refreshes(func(ctx context.Context, url string, _ http.Header, _ bool) (proxy.RefreshResult, error) {
			if asked++; asked == 3 {
				<-ctx.Done()
				return proxy.RefreshResult{URL: url}, ctx.Err()
			}
			return proxy.RefreshResult{URL: url}, nil
		})
		w := post(ctx, h, "/api/refresh", "application/json", `{"urls":[`+strings.Repeat(`"http://a/",`, 99)+`"http://a/"]}`)
		assert.Equal(t, 3, asked)
		assert.NotContains(t, w.Body.String(), `"done"`)
	})
}

func TestRefreshRefusals(t *testing.T) {
	h := refreshes(func(context.Context, string, http.Header, bool) (proxy.RefreshResult, error) {
		panic("nothing is to be refreshed")
	})
	many := strings.TrimSuffix(strings.Repeat(`"",`, MostRefreshURLs+1), ",")
	fields := strings.Builder{}
	for i := range mostRefreshHeader + 1 {
		fmt.Fprintf(&fields, `,"X-%d":""`, i)
	}
	for _, tc := range []struct {
		kind, body string
		status     int
		want       string
	}{
		{"", `{"urls":["http://a/"]}`, 415, "application/json"},
		{"text/plain", `{"urls":["http://a/"]}`, 415, "application/json"},
		{"application/json", ``, 400, "no JSON object"},
		{"application/json", `["http://a/"]`, 400, "array is given where an object is wanted"},
		{"application/json", `{"urls":"http://a/"}`, 400, "urls: string is given where a list is wanted"},
		{"application/json", `{"urls":["a"],"rate":"fast"}`, 400, "rate: string is given where a number is wanted"},
		{"application/json", `{"url":["a"]}`, 400, `"url" is no key: there are urls, rate, only_missing, headers`},
		{"application/json", `{"urls":["a"]} x`, 400, "no JSON object"},
		{"application/json", `{"urls":["a"]}{}`, 400, "there is more after it"},
		{"application/json", `{}`, 400, "urls is empty"},
		{"application/json", `{"urls":[` + many + `]}`, 400, "100001 URLs"},
		{"application/json", `{"urls":["a"],"rate":-1}`, 400, "rate is -1"},
		{"application/json", `{"urls":["a"],"rate":1e-9}`, 400, "rate is 1e-09"},
		{"application/json", `{"urls":["a"],"rate":10001}`, 400, "rate is 10001"},
		{"application/json", `{"urls":["a"],"headers":{` + fields.String()[1:] + `}}`, 400, "65 fields"},
		{"application/json", `{"urls":["` + strings.Repeat("x", mostRefreshBytes) + `"]}`, 413, "larger than"},
	} {
		w := post(t.Context(), h, "/api/refresh", tc.kind, tc.body)
		assert.Equal(t, tc.status, w.Code, "%.80s", tc.body)
		assert.Contains(t, strings.ReplaceAll(w.Body.String(), `\"`, `"`), tc.want, "%.80s", tc.body)
	}
	assert.Equal(t, 405, ask(h, "GET", "/api/refresh", "").Code)
	assert.Contains(t, ask(h, "GET", "/", "").Body.String(), "/api/refresh")
	without := New(Options{Metrics: NewMetrics(Sources{})})
	assert.Equal(t, 404, post(t.Context(), without, "/api/refresh", "application/json", "{}").Code)
	assert.NotContains(t, ask(without, "GET", "/", "").Body.String(), "/api/refresh")
}
