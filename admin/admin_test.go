package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask sends a request to a handler; auth is its Authorization field, if any.
func ask(h http.Handler, method, path, auth string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "127.0.0.1:8081"
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRoutes(t *testing.T) {
	m := NewMetrics(Sources{})
	m.Observe(hit())
	h := New(Options{Metrics: m, Pprof: true})
	for _, tc := range []struct{ path, body string }{
		{"/", "/debug/pprof/"},
		{"/healthz", "ok\n"},
		{"/readyz", "ready\n"},
		{"/metrics", "cacheproxy_requests_total"},
		{"/debug/pprof/", "goroutine"},
		{"/debug/pprof/cmdline", "admin"},
		{"/debug/pprof/goroutine?debug=1", "goroutine profile"},
		{"/debug/pprof/symbol", "num_symbols"},
	} {
		t.Run(tc.path, func(t *testing.T) {
			w := ask(h, "GET", tc.path, "")
			assert.Equal(t, 200, w.Code)
			assert.Contains(t, w.Body.String(), tc.body)
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		})
	}
}

func TestUnknownPath(t *testing.T) {
	h := New(Options{Metrics: NewMetrics(Sources{})})
	for _, path := range []string{"/nothing", "/healthz/more", "/metrics/"} {
		assert.Equal(t, 404, ask(h, "GET", path, "").Code, path)
	}
}

func TestPprofIsOffUnlessSwitchedOn(t *testing.T) {
	h := New(Options{Metrics: NewMetrics(Sources{})})
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile", "/debug/pprof/cmdline"} {
		assert.Equal(t, 404, ask(h, "GET", path, "").Code, path)
	}
	assert.NotContains(t, ask(h, "GET", "/", "").Body.String(), "pprof")
}

func TestIndexNamesOnlyWhatIsThere(t *testing.T) {
	h := New(Options{Metrics: NewMetrics(Sources{}), Pprof: true})
	var paths []string
	for line := range strings.Lines(ask(h, "GET", "/", "").Body.String()) {
		if strings.HasPrefix(line, "/") {
			paths = append(paths, strings.Fields(line)[0])
		}
	}
	assert.Equal(t, []string{"/healthz", "/readyz", "/metrics", "/api/upstreams", "/debug/pprof/"}, paths)
	for _, path := range paths {
		assert.Equal(t, 200, ask(h, "GET", path, "").Code, path)
	}
}

func TestOnlyGetAndHead(t *testing.T) {
	h := New(Options{Metrics: NewMetrics(Sources{}), Pprof: true})
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/debug/pprof/", "/debug/pprof/symbol"} {
		assert.Equal(t, 200, ask(h, "HEAD", path, "").Code, path)
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
			w := ask(h, method, path, "")
			assert.Equal(t, 405, w.Code, "%s %s", method, path)
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"), "%s %s", method, path)
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	s := httptest.NewServer(New(Options{Metrics: NewMetrics(Sources{})}))
	defer s.Close()
	resp, err := s.Client().Head(s.URL + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, resp.Header.Get("Content-Type"), "text/plain; version=0.0.4")
}

func TestToken(t *testing.T) {
	h := New(Options{Metrics: NewMetrics(Sources{}), Pprof: true, Token: "s3cret"})
	for _, tc := range []struct {
		name, auth string
		want       int
	}{
		{"none", "", 401},
		{"right", "Bearer s3cret", 200},
		{"the scheme in any case", "bearer s3cret", 200},
		{"more spaces", "Bearer   s3cret", 200},
		{"wrong", "Bearer secret", 401},
		{"a prefix", "Bearer s3cre", 401},
		{"longer", "Bearer s3cret2", 401},
		{"empty", "Bearer ", 401},
		{"no scheme", "s3cret", 401},
		{"another scheme", "Basic s3cret", 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, path := range []string{"/", "/metrics", "/debug/pprof/", "/debug/pprof/goroutine"} {
				w := ask(h, "GET", path, tc.auth)
				assert.Equal(t, tc.want, w.Code, path)
				if tc.want == 401 {
					assert.Equal(t, `Bearer realm="cacheproxy"`, w.Header().Get("WWW-Authenticate"), path)
					assert.NotContains(t, w.Body.String(), "s3cret", path)
				}
			}
			for _, path := range []string{"/healthz", "/readyz"} {
				assert.Equal(t, 200, ask(h, "GET", path, tc.auth).Code, "%s is open to probes", path)
			}
		})
	}
}

// The exemption of the probes must not open a way around the token.
func TestTokenCannotBeWalkedAround(t *testing.T) {
	h := New(Options{Metrics: NewMetrics(Sources{}), Token: "s3cret"})
	for _, path := range []string{"//metrics", "/healthz/../metrics", "/./metrics", "/%6detrics", "/unknown", "/healthz/"} {
		assert.Equal(t, 401, ask(h, "GET", path, "").Code, path)
	}
	assert.Equal(t, 401, ask(h, "POST", "/metrics", "").Code)
}

func TestReadinessDetailIsForOperators(t *testing.T) {
	h := New(Options{
		Metrics: NewMetrics(Sources{}), Token: "s3cret",
		Origins: origins(map[string]error{"http://10.0.0.7": errors.New("connection refused")}),
	})
	w := ask(h, "GET", "/readyz", "")
	assert.Equal(t, 503, w.Code)
	assert.Equal(t, "not ready: no origin is reachable\n", w.Body.String())

	w = ask(h, "GET", "/readyz", "Bearer s3cret")
	assert.Equal(t, 503, w.Code)
	assert.Equal(t, "not ready: no origin is reachable\nhttp://10.0.0.7: connection refused\n", w.Body.String())
}

// origins are checks that answer at once.
func origins(answers map[string]error) func() map[string]func(context.Context) error {
	checks := make(map[string]func(context.Context) error)
	for name, err := range answers {
		checks[name] = func(context.Context) error { return err }
	}
	return func() map[string]func(context.Context) error { return checks }
}
