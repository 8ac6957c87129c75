package trace

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/admin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// written is the access log of cacheproxy for an outcome.
func written(t *testing.T, format string, o *proxy.Outcome) string {
	t.Helper()
	var out bytes.Buffer
	l, err := admin.NewLog(admin.LogOptions{Mode: "full", Format: format, Output: &out})
	require.NoError(t, err)
	l.Observe(o)
	require.NoError(t, l.Close())
	return out.String()
}

func outcome(method, host, uri, agent string, size int64) *proxy.Outcome {
	return &proxy.Outcome{
		Start: time.Date(2024, 2, 29, 12, 14, 15, 0, time.UTC), Method: method, Host: host, URI: uri, Proto: "HTTP/1.1",
		Status: 200, Bytes: size, Action: policy.Fetch, Reason: policy.URIMiss, Remote: "192.0.2.7:4100", UserAgent: agent,
	}
}

func TestOwnLog(t *testing.T) {
	for _, tc := range []struct {
		format string
		host   string // combined has none
	}{{"json", "example.com"}, {"combined", ""}} {
		t.Run(tc.format, func(t *testing.T) {
			o := outcome("GET", "example.com", "/a?b=c", "curl", 77)
			want := Request{Method: "GET", Host: tc.host, Target: "/a?b=c", Status: 200, Size: 77, Time: o.Start}
			text := written(t, tc.format, o)
			o.Action, o.Reason = policy.Pass, policy.Bypass
			text += written(t, tc.format, o)
			all, _ := readAll(t, strings.NewReader(text))
			require.Len(t, all, 2)
			assert.True(t, all[0].Time.Equal(want.Time))
			all[0].Time, want.Time = time.Time{}, time.Time{}
			assert.Equal(t, want, all[0])
			assert.True(t, all[1].Private, "passed")
		})
	}
}

// FuzzOwnLog: what cacheproxy logs of a valid request is read back as it was.
func FuzzOwnLog(f *testing.F) {
	f.Add("example.com", "/a?b=c", "curl/8", int64(5))
	f.Add("", "/\"\\", "\" 200 0", int64(0))
	f.Add("\xff", "/é\xff%20", "\n[", int64(MaxSize))
	f.Fuzz(func(t *testing.T, host, uri, agent string, size int64) {
		var r Request
		if r.setTarget(uri) != nil || r.Target != uri || size < 0 || size > MaxSize {
			return
		}
		for format, parse := range map[string]func(string) (Request, error){"json": parseJSON, "combined": parseCombined} {
			got, err := parse(strings.TrimSuffix(written(t, format, outcome("GET", host, uri, agent, size)), "\n"))
			require.NoError(t, err)
			assert.Equal(t, size, got.Size)
			want := uri
			if format == "json" {
				want = string([]rune(uri)) // JSON has no bytes that are not UTF-8
			}
			assert.Equal(t, want, got.Target)
		}
	})
}

// FuzzReader: no input makes the reader panic or give out what it must not.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"1 5\n2 6\n", `1.2.3.4 - - [29/Feb/2024:13:14:15 +0100] "GET /\x41 HTTP/1.1" 200 5 "-" "-"`,
		`{"request":{"method":"GET","uri":"/"},"size":1}`, `{"request":"GET http://a?b HTTP/1.1","bytes":"1","ts":1e9}`, "\x1f\x8b\x08", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewReader("a.log", bytes.NewReader(text))
		if err != nil {
			assert.Nil(t, r)
			return
		}
		read := 0
		for {
			rq, err := r.Next()
			if err != nil {
				break
			}
			read++
			assert.NotEmpty(t, rq.Method)
			assert.True(t, strings.HasPrefix(rq.Target, "/"), rq.Target)
			assert.NotContains(t, rq.Target, " ")
			assert.True(t, rq.Size >= 0 && rq.Size <= MaxSize)
			assert.True(t, rq.Status == 0 || rq.Status >= 100 && rq.Status <= 999)
		}
		assert.Positive(t, read, "a reader that opened has at least one request")
		assert.Equal(t, r.Skipped() > 0, r.FirstSkipped() != "")
	})
}
