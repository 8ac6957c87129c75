package proxytest

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

const site = `
origin  GET /a  200  cache-control: max-age=10  x: 1  body hello
origin  GET /slow  delay 5s  200  cache-control: no-store  body late
origin  GET /cut  200  content-length: 9  body hello  break
`

// TestPlayFails: a script that does not hold says where, what it expected, and
// what it got.
func TestPlayFails(t *testing.T) {
	for _, tc := range []struct{ name, script, want string }{
		{"status", "client  GET /a  expect 404", "s.txt:5: client: expected status 404, got 200"},
		{"field", "client  GET /a  expect 200  x = 2", `s.txt:5: client: expected x = "2", got "1"`},
		{"field that is not there", "client  GET /a  expect 200  y = 2", `s.txt:5: client: expected y = "2", got none`},
		{"field that is there", "client  GET /a  expect 200  no x", `s.txt:5: client: expected no x, got "1"`},
		{"word", "client  GET /a  expect 200  broken", "s.txt:5: client: expected broken, got none"},
		{"part of a value", "client  GET /a  expect 200  cache-status ~ hit", `s.txt:5: client: expected cache-status ~ "hit", got "cacheproxy; fwd=uri-miss; fwd-status=200; ttl=10; stored"`},
		{"not part of a value", "client  GET /a  expect 200  cache-status !~ fwd", `s.txt:5: client: expected cache-status !~ "fwd"`},
		{"body", "client  GET /a  expect 200  body = hell", `s.txt:5: client: expected body = "hell", got "hello"`},
		{"broken body", "client  GET /cut  expect 200", "s.txt:5: client: expected a complete answer, got 5 bytes of body, then: the connection was closed amid the body"},
		{"reason", "client  GET /a  expect 200  reason = fresh", `s.txt:5: client: expected reason = "fresh", got "uri-miss"`},
		{"second line", "client  GET /a\n   expect 200\n   x = 2", `s.txt:5: client: expected x = "2", got "1"`},
		{"later line", "client  GET /a  expect 200\n\n# remark\nclock  +11s\nclient  GET /a  expect 200  age = 11", `s.txt:9: client: expected age = "11", got none`},
		{"too early", "start  ann  GET /slow\npeek  ann  expect 200", "s.txt:6: peek: expected status 200, got no answer"},
		{"too late", "start  ann  GET /slow\nclock  +6s\npeek  ann  expect  waiting", "s.txt:7: peek: expected waiting, got none"},
		{"count of requests", "client  GET /a  expect 200\norigin  saw 2", "s.txt:6: origin: expected origin saw 2, got 1: GET /a"},
		{"last request", "client  GET /a  expect 200\norigin  saw 1  GET /b", `s.txt:6: origin: expected origin saw "GET /b" last, got "GET /a"`},
		{"field of the last request", "client  GET /a  expect 200\norigin  saw 1  GET /a  no host", `s.txt:6: origin: expected no host, got "example.com"`},
		{"answers dropped", "origin  dropped 1", "s.txt:5: origin: expected 1 answers dropped, got 0"},
		{"request without an answer", "client  GET /b  expect 200", "s.txt:5: client: no origin statement fits the request GET /b"},
		{"outcome that is not there", "start  ann  GET /slow\npeek  ann  expect  reason = method", `s.txt:6: peek: expected reason = "method", got "(no outcome yet)"`},
		{"bytes", "client  GET /a  expect 200  bytes = 5", `s.txt:5: client: expected bytes = "ahovc", got "hello"`},

		{"unknown statement", "clients  GET /a", `s.txt:5: unknown statement "clients"`},
		{"unknown assertion", "client  GET /a  expect 200  x == 1", `s.txt:5: client: cannot understand "x == 1"`},
		{"unknown column of a client", "client  GET /a  fast  expect 200", `s.txt:5: client: client: cannot understand "fast"`},
		{"unknown column of the origin", "origin  GET /b  200  fast", `s.txt:5: origin: origin: cannot understand "fast"`},
		{"origin without a status", "origin  GET /b  once", "s.txt:5: origin: origin GET /b: no status, and nothing to do instead"},
		{"unknown setting", "config  tll 10s", `s.txt:5: config: config: unknown setting "tll"`},
		{"wrong duration", "config  ttl 10", "s.txt:5: config: config ttl 10: time: missing unit"},
		{"wrong clock", "clock  11s", `s.txt:5: clock: "11s": want a duration such as +11s`},
		{"no expectation", "client  GET /a", "s.txt:5: client: no expect; use start"},
		{"expectation at the start", "start  ann  GET /a  expect 200", "s.txt:5: start: start does not wait"},
		{"start without a name", "start  GET /a", `s.txt:5: start: "GET /a": want the client's name first`},
		{"nobody", "wait  ann  expect 200", "s.txt:5: wait: ann has not asked for anything"},
		{"empty", "client", "s.txt:5: client: nothing after it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := Play("s.txt", site+tc.script)
				require.Error(t, err)
				assert.True(t, strings.HasPrefix(err.Error(), tc.want), "got  %s\nwant %s", err, tc.want)
			})
		})
	}
}

func TestParseRefuses(t *testing.T) {
	_, err := parse("   GET /a")
	assert.EqualError(t, err, "1: nothing to continue; begin the statement at the start of the line")
}

// TestPlay: outcomes come back in the order of the requests, in virtual time.
func TestPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcomes, err := Play("s.txt", site+`
client  GET /a     expect 200  body = hello
client  GET /slow  expect 200  body = late
client  kim  GET /a  expect 200  age = 5
client  kim  HEAD /a  expect 200  body =  content-length = 5
`)
		require.NoError(t, err)
		require.Len(t, outcomes, 4)
		assert.Equal(t, policy.URIMiss, outcomes[0].Reason)
		assert.Equal(t, 5*time.Second, outcomes[1].Duration)
		assert.Equal(t, policy.Fresh, outcomes[2].Reason)
		assert.Equal(t, outcomes[2].Remote, outcomes[3].Remote, "a named client keeps her connection")
		assert.NotEqual(t, outcomes[0].Remote, outcomes[1].Remote)
	})
}

func TestExpand(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start.Add(time.Hour)
	for in, want := range map[string]string{
		"{now}":           "Sat, 01 Jan 2000 01:00:00 GMT",
		"{now-10s}":       "Sat, 01 Jan 2000 00:59:50 GMT",
		"{-10s}":          "Fri, 31 Dec 1999 23:59:50 GMT",
		"a {+1m} b":       "a Sat, 01 Jan 2000 00:01:00 GMT b",
		`{"title":"now"}`: `{"title":"now"}`,
		"{+1x}":           "{+1x}",
	} {
		assert.Equal(t, want, expand(in, start, now), in)
	}
}

func TestFill(t *testing.T) {
	whole := fill(0, 5000)
	assert.Equal(t, whole[1234:1300], fill(1234, 66))
	assert.NotEqual(t, fill(0, 100), fill(26, 100), "no short period")
	assert.NotEqual(t, fill(0, 100), fill(1000, 100))
}
