package telemetry

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func env(name, value string) func(string) (string, bool) {
	return func(n string) (string, bool) {
		if n == name {
			return value, true
		}
		return "", false
	}
}

func TestEndpoints(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://c:4318":          "http://c:4318/v1/traces",
		"https://c/":             "https://c/v1/traces",
		"https://c/otlp/v1/more": "https://c/otlp/v1/more",
	} {
		c, err := newCollector(endpoint, env("", ""))
		require.NoError(t, err)
		assert.Equal(t, want, c.url)
	}
	for _, endpoint := range []string{"", "c:4318", "ftp://c", "http://", "http://[", "grpc://c:4317"} {
		_, err := newCollector(endpoint, env("", ""))
		assert.ErrorContains(t, err, "want the URL of a collector")
	}
}

func TestFieldsOfTheEnvironment(t *testing.T) {
	for list, want := range map[string][2]string{
		"Authorization=Bearer%20s3cret": {"Authorization", "Bearer s3cret"},
		" x-a = 1 , ,x-b=2=3":           {"X-B", "2=3"},
		"x-empty=":                      {"X-Empty", ""},
	} {
		c, err := newCollector("http://c", env("OTEL_EXPORTER_OTLP_HEADERS", list))
		require.NoError(t, err, list)
		assert.Equal(t, []string{want[1]}, c.header[want[0]], list)
	}
	for _, list := range []string{"a b=s3cret", "=s3cret", "a=s3cret%0d%0a", "a=s3cret%zz"} {
		_, err := newCollector("http://c", env("OTEL_EXPORTER_OTLP_TRACES_HEADERS", list))
		require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", list)
		assert.NotContains(t, err.Error(), "s3cret")
	}
}

func TestWhatTheCollectorAnswers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		first int
		asks  int32
		err   string
	}{
		{"accepted", 200, 1, ""},
		{"busy once", 503, 2, ""},
		{"refused", 400, 1, `answered 400 Bad Request: "no\n"`},
		{"elsewhere", 307, 1, "answered 307"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var asks atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "application/x-protobuf", r.Header.Get("Content-Type"))
				assert.Equal(t, "1", r.Header.Get("X-Key"))
				if asks.Add(1) > 1 {
					return
				}
				w.Header().Set("Location", "/elsewhere")
				http.Error(w, "no", tc.first)
			}))
			defer s.Close()
			c, err := newCollector(s.URL, env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=1"))
			require.NoError(t, err)
			err = c.UploadTraces(t.Context(), nil)
			if tc.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tc.err)
			}
			assert.Equal(t, tc.asks, asks.Load())
			require.NoError(t, c.Stop(t.Context()))
		})
	}
}

// Requests are answered, a stop is not held up for long, and the log says it once.
func TestACollectorThatIsDown(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	origin := newOrigin(t, func(http.ResponseWriter, *http.Request) {})
	w := newWorld(t, setup{sample: 1, endpoint: gone.URL, targets: []string{origin}})
	for range 10 {
		assert.Equal(t, 200, w.get("/").StatusCode)
	}
	begin := time.Now()
	w.finish()
	assert.Less(t, time.Since(begin), closeTime+2*time.Second)
	assert.Equal(t, 1, strings.Count(w.log.String(), "\n"), w.log.String())
	assert.Contains(t, w.log.String(), "spans are lost")
	assert.Contains(t, w.log.String(), "connection refused")
}

func TestNoTracingDoesNothing(t *testing.T) {
	var none *Tracing
	none.Observe(nil)
	none.Close()
	_, err := Start(Options{Endpoint: "nowhere", Log: slog.Default(), Environment: env("", "")})
	assert.ErrorContains(t, err, `endpoint "nowhere"`)
}
