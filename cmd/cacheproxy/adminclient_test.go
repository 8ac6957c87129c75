package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile is what a client may have asked for to paint on the operator's screen.
const hostile = "/\x1b[2J\x1b]0;owned\a\x9b31m\r\n\u202egpj\u0085\x7f\u00ad\U000e0001%"

func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "",
		"/plain?q=ä€😀":     "/plain?q=ä€😀",
		"\x1b[2J":          `\x1b[2J`,
		"a\r\nb\tc\x00":    `a\x0d\x0ab\x09c\x00`,
		"\xff\xc3":         `\xff\xc3`,
		"\u009b31m\u202ex": `\u009b31m\u202ex`,
		"\ufffd":           `\ufffd`,
		"\U000e0001":       `\udb40\udc01`,
	} {
		assert.Equal(t, want, inert(in), "%q", in)
	}
}

func FuzzInert(f *testing.F) {
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, s string) {
		assertInert(t, inert(s))
		value, err := json.Marshal(s)
		require.NoError(t, err)
		safe := inertJSON(value)
		assertInert(t, string(safe))
		var back, want string
		require.NoError(t, json.Unmarshal(safe, &back))
		require.NoError(t, json.Unmarshal(value, &want))
		assert.Equal(t, want, back)
	})
}

func assertInert(t *testing.T, s string) {
	t.Helper()
	assert.True(t, utf8.ValidString(s), "%q", s)
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0xe0000 {
			t.Errorf("%U in %q", r, s)
		}
	}
}

// command runs a command line, and returns its exit code and what it has written.
func command(ctx context.Context, env map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, &out, &errs)
	return code, out.String(), errs.String()
}

func TestWhoIsAsked(t *testing.T) {
	var token string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"requests": []}`)
	}))
	defer s.Close()
	addr := s.Listener.Addr().String()
	file := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(file, []byte("origin: http://a.example\nadmin: {listen: \""+addr+"\", token: of-the-file}\n"), 0o600))
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("orign: x\n"), 0o600))
	for _, tc := range []struct {
		name  string
		env   map[string]string
		args  []string
		token string // that was sent
		err   string // empty: it is answered
	}{
		{"flag", nil, []string{"--admin", addr}, "", ""},
		{"environment", map[string]string{"CACHEPROXY_ADMIN": addr, "CACHEPROXY_ADMIN_TOKEN": "env"}, nil, "Bearer env", ""},
		{"file", nil, []string{"--config", file}, "Bearer of-the-file", ""},
		{"flag before file", nil, []string{"--config", file, "--admin-token", "flag"}, "Bearer flag", ""},
		{"a broken file does not matter", nil, []string{"--config", broken, "--admin", addr}, "", ""},
		{"unless it must say", nil, []string{"--config", broken}, "", "no admin address: "},
		{"off", nil, []string{"--admin", "off"}, "", "the admin listener is off"},
		{"no address", nil, []string{"--admin", "x"}, "", `--admin: admin.listen: "x"`},
		{"nobody", nil, []string{"--admin", "127.0.0.1:1"}, "", "no answer from 127.0.0.1:1: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			token = ""
			code, _, stderr := command(t.Context(), tc.env, append([]string{"logs"}, tc.args...)...)
			assert.Equal(t, tc.token, token)
			if tc.err == "" {
				assert.Zero(t, code)
				assert.Empty(t, stderr)
				return
			}
			assert.NotZero(t, code)
			assert.Contains(t, stderr, tc.err)
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, tc := range []struct {
		status     int
		kind, body string
		want       string
	}{
		{401, "text/plain", "no", "wants the proxy's admin token: give it with CACHEPROXY_ADMIN_TOKEN"},
		{403, "application/json", `{"error":"of another site"}`, ": of another site"},
		{404, "application/json", `{"error":"x"}`, "does not know /api/requests: it is a proxy of an older release"},
		{200, "text/html", "<html>", "does not know /api/requests: "},
		{200, "application/json", `{"requests": 3}`, "the answer is not understood"},
		{200, "application/json", `{"requests": [`, "the answer is not understood"},
		{400, "application/json", `{"error": "limit is \u001b[2J"}`, `: limit is \x1b[2J`},
		{503, "text/plain", "busy", "answered 503 Service Unavailable: busy"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.kind)
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body)
			}))
			defer s.Close()
			c := &adminClient{addr: s.Listener.Addr().String(), http: s.Client()}
			var answer struct {
				Requests []logged `json:"requests"`
			}
			err := c.get(t.Context(), "/api/requests", url.Values{"limit": {"1"}}, &answer)
			require.ErrorContains(t, err, tc.want)
			assert.True(t, strings.HasPrefix(err.Error(), c.addr), err)
		})
	}
}
