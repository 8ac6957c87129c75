package main

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWarm(t *testing.T) {
	o := newOrigin()
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	s, _ := findScenario("hit10k")
	require.NoError(t, warm(t.Context(), srv.Client(), s, srv.URL, 100))
	seen, err := originCounts(t.Context(), srv.Client(), srv.URL)
	require.NoError(t, err)
	assert.Equal(t, int64(100), seen["small"].Requests, "each object once")
}

func TestWarmSeesWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"a status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "status 503"},
		{"a short answer", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content(1000)) }, "1000 bytes of content, not the 1024 of the origin"},
		{"bytes in the wrong place", func(w http.ResponseWriter, _ *http.Request) {
			c := content(1024)
			_, _ = w.Write(append(c[512:], c[:512]...))
		}, "1024 bytes of content, not the 1024 of the origin"},
		{"an answer that breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1024")
			_, _ = w.Write(content(1000))
		}, "unexpected EOF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var asked atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				tc.answer(w, r)
			}))
			t.Cleanup(srv.Close)
			s, _ := findScenario("hit10k")
			assert.ErrorContains(t, warm(t.Context(), srv.Client(), s, srv.URL, 100), tc.want)
			assert.LessOrEqual(t, asked.Load(), int64(warmers), "nobody goes on after an error")
		})
	}
}

func TestClientTrustsOnlyTheCertificateOfTheRun(t *testing.T) {
	dir := t.TempDir()
	cert, key, both := filepath.Join(dir, "c"), filepath.Join(dir, "k"), filepath.Join(dir, "b")
	require.NoError(t, writeCert(cert, key, both))
	c, err := newClient(cert)
	require.NoError(t, err)
	stranger := httptest.NewUnstartedServer(newOrigin())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0) // it minds being refused
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	_, err = originStats(t.Context(), c, stranger.URL)
	assert.ErrorContains(t, err, "certificate")

	text, err := os.ReadFile(both)
	require.NoError(t, err)
	first, rest := pem.Decode(text)
	second, _ := pem.Decode(rest)
	assert.Equal(t, "CERTIFICATE", first.Type)
	assert.Equal(t, "PRIVATE KEY", second.Type)
	st, err := os.Stat(key)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), st.Mode().Perm())

	_, err = newClient(key)
	assert.ErrorContains(t, err, "holds no certificate")
}

func TestStampede(t *testing.T) {
	o := newOrigin()
	bad := atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := bad.Add(-1); {
		case n < 0:
			o.ServeHTTP(w, r)
		case n%2 == 0:
			w.WriteHeader(503)
		default:
			_, _ = w.Write(content(64<<10 - 1))
		}
	}))
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	want := content(64 << 10)
	for _, wrong := range []int64{0, 7} {
		bad.Store(wrong)
		h, err := gather(t.Context(), host, 40)
		require.NoError(t, err)
		l := h.charge("/slow/1", want)
		h.close()
		assert.Equal(t, int64(40), l.requests)
		assert.Equal(t, wrong, l.bad)
		assert.LessOrEqual(t, l.p50, l.p99)
		assert.Positive(t, l.seconds)
	}
	srv.Close()
	_, err := gather(t.Context(), host, 40)
	assert.ErrorContains(t, err, "client 1 of 40: ")
}
