package origin

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSecure: over TLS, HTTP/2 included, a body that stops is given up, one
// that is an event stream is not.
func TestSecure(t *testing.T) {
	for _, two := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/events" {
				w.Header().Set("Content-Type", "text/event-stream")
			}
			_, _ = io.WriteString(w, "hello")
			_ = http.NewResponseController(w).Flush()
			switch r.URL.Path {
			case "/events":
				time.Sleep(700 * time.Millisecond)
			case "/stops":
				<-r.Context().Done()
			}
		}))
		server.EnableHTTP2 = two
		server.StartTLS()
		defer server.Close()
		trusting := func() *tls.Config { return server.Client().Transport.(*http.Transport).TLSClientConfig }
		o := open(t, server.URL, Options{Body: 500 * time.Millisecond, TLS: trusting})
		for path, want := range map[string]Failure{"/": None, "/events": None, "/stops": ReadTimeout} {
			r := get(t, server.URL)
			r.URL.Path = path
			resp, err := o.RoundTrip(r)
			require.NoError(t, err)
			assert.Equal(t, two, resp.ProtoMajor == 2)
			b, err := io.ReadAll(resp.Body)
			assert.Equal(t, "hello", string(b))
			assert.Equal(t, want, Classify(err), "%s: %v", path, err)
			assert.NoError(t, resp.Body.Close())
		}
	}
}
