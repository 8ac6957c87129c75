package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a browser sends on behalf of a page is refused, whoever's page it is but
// one of this listener.
func TestNoCrossOriginUse(t *testing.T) {
	for _, tc := range []struct {
		name, host string
		header     http.Header
		token      string
		want       int
	}{
		{"curl", "127.0.0.1:8081", nil, "", 200},
		{"typed into the address bar", "127.0.0.1:8081", http.Header{"Sec-Fetch-Site": {"none"}}, "", 200},
		{"a page of its own", "127.0.0.1:8081", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://127.0.0.1:8081"}}, "", 200},
		{"through a tunnel with TLS", "admin.example:443", http.Header{"Origin": {"https://admin.example:443"}}, "s3cret", 200},
		{"another site", "127.0.0.1:8081", http.Header{"Sec-Fetch-Site": {"cross-site"}}, "", 403},
		{"another port of this machine", "127.0.0.1:8081", http.Header{"Sec-Fetch-Site": {"same-site"}}, "", 403},
		{"another origin", "127.0.0.1:8081", http.Header{"Origin": {"https://evil.example"}}, "", 403},
		{"another port", "127.0.0.1:8081", http.Header{"Origin": {"http://127.0.0.1:80"}}, "", 403},
		{"a page without an origin", "127.0.0.1:8081", http.Header{"Origin": {"null"}}, "", 403},
		{"an origin that is none", "127.0.0.1:8081", http.Header{"Origin": {""}}, "", 403},
		{"several origins", "127.0.0.1:8081", http.Header{"Origin": {"http://127.0.0.1:8081", "https://evil.example"}}, "", 403},
		{"another scheme", "127.0.0.1:8081", http.Header{"Origin": {"file://127.0.0.1:8081"}}, "", 403},
		{"another site, with the token", "127.0.0.1:8081", http.Header{"Sec-Fetch-Site": {"cross-site"}}, "s3cret", 403},

		{"localhost", "localhost:8081", nil, "", 200},
		{"in capitals", "LOCALHOST:8081", nil, "", 200},
		{"without a port", "localhost", nil, "", 200},
		{"IPv6", "[::1]:8081", nil, "", 200},
		{"IPv6 without a port", "[::1]", nil, "", 200},
		{"a name that was made to lead here", "evil.example:8081", nil, "", 403},
		{"and its page", "evil.example:8081", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://evil.example:8081"}}, "", 403},
		{"a name that begins like it", "localhost.evil.example", nil, "", 403},
		{"an address that begins like it", "127.0.0.1.evil.example", nil, "", 403},
		{"an address of another machine", "192.0.2.1:8081", nil, "", 403},
		{"no name", "", nil, "", 403},
		{"any name, with the token", "admin.example:8081", nil, "s3cret", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := New(Options{
				Metrics: NewMetrics(Sources{}), Pprof: true, Token: tc.token,
				Origins: origins(map[string]error{"http://10.0.0.7": errors.New("connection refused")}),
			})
			send := func(path string) *httptest.ResponseRecorder {
				r := httptest.NewRequest("GET", path, nil)
				r.Host = tc.host
				for name, lines := range tc.header {
					r.Header[name] = lines
				}
				r.Header.Set("Authorization", "Bearer "+tc.token)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w
			}
			for _, path := range []string{"/", "/metrics", "/api/upstreams", "/debug/pprof/", "/debug/pprof/cmdline"} {
				w := send(path)
				assert.Equal(t, tc.want, w.Code, path)
				assert.Equal(t, "same-origin", w.Header().Get("Cross-Origin-Resource-Policy"), path)
				assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), path)
			}
			assert.Equal(t, 200, send("/healthz").Code, "probes may come by any name")
			assert.Equal(t, tc.want == 200, send("/readyz").Body.String() != "not ready: no origin is reachable\n", "details are for operators")
		})
	}
}
