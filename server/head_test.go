package server

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"cacheproxy/policy"
)

// TestParse: what a head is, or why it is refused. In a line, ~ stands for CRLF.
func TestParse(t *testing.T) {
	const ok = policy.ReasonNone
	host := "~Host: a.example"
	for _, tc := range []struct {
		head string
		form form
		why  policy.Reason
	}{
		{"GET / HTTP/1.1" + host + "~~", plain, ok},
		{"HEAD /?a={b} HTTP/1.1" + host + "~~", plain, ok},
		{"POST / HTTP/1.1" + host + "~~", other, ok},
		{"GET / HTTP/1.0~~", other, ok},
		{"GET / HTTP/1.0~Host: ~~", refused, policy.BadRequest},
		{"GET / HTTP/1.7" + host + "~~", other, ok},
		{"GET / HTTP/2.0" + host + "~~", refused, policy.VersionNotSupported},
		{"GET / HTTP/1.10" + host + "~~", refused, policy.BadRequest},
		{"GET /~", refused, policy.BadRequest},
		{"GET / HTTP/1.1" + host + "~", incomplete, ok},
		{"", incomplete, ok},

		// Request lines (RFC 9112, 3).
		{"OPTIONS * HTTP/1.1" + host + "~~", other, ok},
		{"GET * HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{"GET http://b.example:80/x?y HTTP/1.1" + host + "~~", other, ok},
		{"GET HTTPS://[::1] HTTP/1.1" + host + "~~", other, ok},
		{"GET http://u@b.example/ HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{"GET http:///x HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{"GET ftp://b.example/ HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{"GET a.example:80 HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{"CONNECT a.example:80 HTTP/1.1" + host + "~~", refused, policy.MethodNotAllowed},
		{"GET /a|b HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{`GET /?\^` + "`" + `{|} HTTP/1.1` + host + "~~", plain, ok},
		{`GET /?"<> HTTP/1.1` + host + "~~", refused, policy.BadRequest},
		{"GET /?\xe9 HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{"GET /#x HTTP/1.1" + host + "~~", refused, policy.BadRequest},
		{strings.Repeat("M", 64) + " / HTTP/1.1" + host + "~~", other, ok},
		{strings.Repeat("M", 65) + " / HTTP/1.1" + host + "~~", refused, policy.NotImplemented},
		{strings.Repeat("M", 65), refused, policy.NotImplemented},
		{strings.Repeat("\x00", 65), refused, policy.BadRequest},

		// Framing (RFC 9112, 6).
		{"POST / HTTP/1.1" + host + "~Content-Length: 9223372036854775807~~", refused, policy.BadRequest},
		{"POST / HTTP/1.1" + host + "~Content-Length: 99999999999999999999999~~", refused, policy.BadRequest},
		{"POST / HTTP/1.1" + host + "~Content-Length: 4611686018427387904~~", other, ok},
		{"POST / HTTP/1.1" + host + "~Content-Length: 4611686018427387905~~", refused, policy.BadRequest},
		{"POST / HTTP/1.1" + host + "~Content-Length: 5~Content-Length: 5~~", refused, policy.BadRequest},
		{"POST / HTTP/1.1" + host + "~Transfer-Encoding: x, chunked~~", refused, policy.NotImplemented},
		{"POST / HTTP/1.1" + host + "~Transfer-Encoding: x, y~~", refused, policy.BadRequest},
		{"POST / HTTP/1.1" + host + "~Transfer-Encoding: identity, chunked~~", refused, policy.BadRequest},
		{"POST / HTTP/1.1" + host + "~Trailer: X-Sum, content-length~~", refused, policy.BadRequest},
		{"POST / HTTP/1.1" + host + "~Trailer: X-Sum~~", other, ok},

		// Host (RFC 9112, 3.2).
		{"GET / HTTP/1.1~~", refused, policy.BadRequest},
		{"GET / HTTP/1.1~Host: [2001:db8::1]:8080~~", other, ok},
		{"GET / HTTP/1.1~Host: [fe80::1%25eth0]~~", refused, policy.BadRequest},
		{"GET / HTTP/1.1~Host: [192.0.2.1]~~", refused, policy.BadRequest},
		{"GET / HTTP/1.1~Host: a.example:65535~~", plain, ok},
		{"GET / HTTP/1.1~Host: a.example:65536~~", refused, policy.BadRequest},
		{"GET / HTTP/1.1~Host: a.example:+1~~", refused, policy.BadRequest},
	} {
		var rq request
		got := rq.parse([]byte(strings.ReplaceAll(tc.head, "~", "\r\n")), &usualLimits)
		assert.Equal(t, tc.form, got, "%.200q", tc.head)
		if got == refused {
			assert.Equal(t, tc.why.String(), rq.why.String(), "%.200q", tc.head)
		}
	}
}

// TestHeadLimits: each limit has its own answer, exactly where it is said.
func TestHeadLimits(t *testing.T) {
	most := headLimits{bytes: 200, fields: 3, target: 20}
	const end = " HTTP/1.1\r\nHost: a.example\r\n"
	for _, tc := range []struct {
		head string
		form form
		why  policy.Reason
	}{
		{"GET /" + strings.Repeat("a", 19) + end + "\r\n", plain, 0},
		{"GET /" + strings.Repeat("a", 20) + end + "\r\n", refused, policy.URITooLong},
		{"GET /" + strings.Repeat("a", 19), incomplete, 0},
		{"GET /" + strings.Repeat("a", 20), refused, policy.URITooLong},
		{"GET /" + end + "A: b\r\nA: b\r\n\r\n", plain, 0},
		{"GET /" + end + "A: b\r\nA: b\r\nA: b\r\n", refused, policy.HeaderTooLarge},
		{"GET /" + end + "A: " + strings.Repeat("b", 200-40) + "\r\n\r\n", plain, 0},
		{"GET /" + end + "A: " + strings.Repeat("b", 200-39) + "\r\n\r\n", refused, policy.HeaderTooLarge},
		{"GET /" + end + "A: " + strings.Repeat("b", 200-36), refused, policy.HeaderTooLarge},
		{"GET /" + end + "A: " + strings.Repeat("b", 200-37), incomplete, 0},
		{"GET /" + end + "A b\r\n" + strings.Repeat("b", 500), refused, policy.BadRequest},
	} {
		var rq request
		got := rq.parse([]byte(tc.head), &most)
		assert.Equal(t, tc.form, got, "%d bytes: %q", len(tc.head), tc.head)
		if got == refused {
			assert.Equal(t, tc.why.String(), rq.why.String(), "%q", tc.head)
		}
	}
}

// TestAHeadByteByByteCostsLittle: a long head that comes in pieces is read again a
// few times only, and what is wrong with it is seen none the less.
func TestAHeadByteByByteCostsLittle(t *testing.T) {
	long := "GET / HTTP/1.1\r\nHost: a.example\r\n" + strings.Repeat("A: b\r\n", 10000)
	w := newWork()
	defer w.free()
	reads := 0
	feed := func(s string) {
		for i := range len(s) {
			w.compactFor(usualLimits.bytes)
			w.n += copy(w.in[w.n:], s[i:i+1])
			if w.due() {
				reads++
				w.leave(&usualLimits)
			}
		}
	}
	feed(long[:60000])
	assert.Less(t, reads, 900, "of %d lines", 10000)
	for _, end := range []string{"\r\n\r\n", "\n", "\r\r\n"} {
		before := reads
		feed(end)
		assert.Greater(t, reads, before, "%q", end)
	}
}
