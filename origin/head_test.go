package origin

import (
	"bufio"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"golang.org/x/net/http/httpguts"
)

func TestHeads(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		minor      int
		status     int
		reason     string
		header     http.Header
	}{
		{"plain", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 1, 200, "200 OK", http.Header{"A": {"b"}}},
		{"old", "HTTP/1.0 404 Not Found\r\n\r\n", 0, 404, "404 Not Found", http.Header{}},
		{"no phrase", "HTTP/1.1 200 \r\n\r\n", 1, 200, "200 ", http.Header{}},
		{"nor a space", "HTTP/1.1 200\r\n\r\n", 1, 200, "200", http.Header{}},
		{"no known status", "HTTP/1.1 999 x  y\r\n\r\n", 1, 999, "999 x  y", http.Header{}},
		{"bare LF", "HTTP/1.1 200 OK\nA: b\n\n", 1, 200, "200 OK", http.Header{"A": {"b"}}},
		{"names of all kinds", "HTTP/1.1 200 OK\r\netag: \"x\"\r\nX-A_b.C: 1\r\nCONTENT-type: t\r\n\r\n", 1, 200, "200 OK",
			http.Header{"Etag": {`"x"`}, "X-A_b.c": {"1"}, "Content-Type": {"t"}}},
		{"several lines", "HTTP/1.1 200 OK\r\nVary: a\r\nB: 1\r\nvary: b\r\nVary: c\r\nC: 2\r\n\r\n", 1, 200, "200 OK",
			http.Header{"Vary": {"a", "b", "c"}, "B": {"1"}, "C": {"2"}}},
		{"white space around", "HTTP/1.1 200 OK\r\nA: \t b c \t\r\nB:\r\nC:d\r\n\r\n", 1, 200, "200 OK",
			http.Header{"A": {"b c"}, "B": {""}, "C": {"d"}}},
		{"what a value may hold", "HTTP/1.1 200 \xfcber\r\nA: :\t\xff\"\r\n\r\n", 1, 200, "200 \xfcber", http.Header{"A": {":\t\xff\""}}},
		{"nothing is added or hidden", "HTTP/1.1 200 OK\r\nPragma: no-cache\r\nConnection: close\r\n\r\n", 1, 200, "200 OK",
			http.Header{"Pragma": {"no-cache"}, "Connection": {"close"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, err := parseHead(tc.text)
			require.NoError(t, err)
			assert.Equal(t, head{tc.minor, tc.status, tc.reason, tc.header}, h)
		})
	}
}

func TestHeadsRefused(t *testing.T) {
	for _, tc := range []struct{ name, text, why string }{
		{"no version", "200 OK\r\n\r\n", "begins with"},
		{"other letters", "http/1.1 200 OK\r\n\r\n", "begins with"},
		{"HTTP/2", "HTTP/2 200\r\n\r\n", "begins with"},
		{"empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", "begins with"},
		{"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "status line"},
		{"HTTP/1.10", "HTTP/1.10 200 OK\r\n\r\n", "status line"},
		{"no status", "HTTP/1.1\r\n\r\n", "status line"},
		{"two digits", "HTTP/1.1 20 OK\r\n\r\n", "status line"},
		{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", "status line"},
		{"sign", "HTTP/1.1 +20 OK\r\n\r\n", "status line"},
		{"below 100", "HTTP/1.1 099 OK\r\n\r\n", "status line"},
		{"two spaces", "HTTP/1.1  200 OK\r\n\r\n", "status line"},
		{"tab", "HTTP/1.1\t200 OK\r\n\r\n", "status line"},
		{"tab after the status", "HTTP/1.1 200\tOK\r\n\r\n", "status line"},
		{"CR in the phrase", "HTTP/1.1 200 O\rK\r\n\r\n", "control character"},
		{"NUL in the phrase", "HTTP/1.1 200 O\x00K\r\n\r\n", "control character"},
		{"no colon", "HTTP/1.1 200 OK\r\nA\r\n\r\n", "field line"},
		{"no name", "HTTP/1.1 200 OK\r\n: b\r\n\r\n", "field line"},
		{"space before the colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "field line"},
		{"tab before the colon", "HTTP/1.1 200 OK\r\nContent-Length\t: 3\r\n\r\n", "field line"},
		{"space before the name", "HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "field line"},
		{"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "field line"},
		{"folded with a colon", "HTTP/1.1 200 OK\r\nA: b\r\n\tc: d\r\n\r\n", "field line"},
		{"no token", "HTTP/1.1 200 OK\r\nA(b): c\r\n\r\n", "field line"},
		{"a letter beyond ASCII", "HTTP/1.1 200 OK\r\n\xc3\xa4: c\r\n\r\n", "field line"},
		{"CR in a value", "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", "control character"},
		{"CR at the end of a value", "HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n", "control character"},
		{"NUL in a value", "HTTP/1.1 200 OK\r\nA: b\x00\r\n\r\n", "control character"},
		{"control character in a value", "HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n", "control character"},
		{"DEL in a value", "HTTP/1.1 200 OK\r\nA: b\x7f\r\n\r\n", "control character"},
		{"CR in a name", "HTTP/1.1 200 OK\r\nA\rB: b\r\n\r\n", "control character"},
		{"too many", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", maxFields+1) + "\r\n", "more than 4096 fields"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, always(tc.text))
			err := fails(t, o, s.request("GET", ""), Invalid)
			assert.Contains(t, err.Error(), tc.why)
			assert.Less(t, len(err.Error()), 500, "it does not repeat all that was sent")
		})
	}
}

// The limit is on all heads together, and an answer within it is taken.
func TestHeadSize(t *testing.T) {
	const limit = 40 << 10
	fill := func(n int, start string) string {
		return start + strings.Repeat("y", n-len(start)-4) + "\r\n\r\n"
	}
	const final, early = "HTTP/1.1 204 None\r\nX: ", "HTTP/1.1 103 Early Hints\r\nX: "
	for _, tc := range []struct {
		name, answer string
		good         bool
	}{
		{"at the limit", fill(limit, final), true},
		{"one over", fill(limit+1, final), false},
		{"without an end", strings.Repeat("x", limit+1), false},
		{"at the limit together", fill(1000, early) + fill(limit-1000, final), true},
		{"one over together", fill(1000, early) + fill(limit-999, final), false},
		{"interim ones without end", strings.Repeat(fill(1000, early), 100), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "without an end" {
				tc.answer = final + tc.answer
			}
			s, o := overTCP(t, Options{MaxHeaderBytes: limit}, always(tc.answer))
			if tc.good {
				resp, _ := ask(t, o, s.request("GET", ""))
				assert.Equal(t, 204, resp.StatusCode)
				return
			}
			assert.EqualError(t, fails(t, o, s.request("GET", ""), HeadTooLarge), "response head over 40960 bytes")
		})
	}
}

// FuzzHead: however the bytes of a head arrive, they give the same; what is
// taken is a head to net/http too, with the same fields; nothing that would end
// a line is in it.
func FuzzHead(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\netag: \"x\"\r\nA: b\r\nA: c\r\n\r\nhello")
	f.Add("HTTP/1.0 404 \nA:b\n\n")
	f.Add("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n")
	f.Add("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		read := func(conn *readConn) (head, error) {
			x := &exchange{client: &client{headSize: 1 << 20}, in: input{src: newConn(conn)}}
			defer x.in.drop()
			return x.head()
		}
		whole, err := read(&readConn{Reader: strings.NewReader(text)})
		split, errSplit := read(&readConn{Reader: iotest.OneByteReader(strings.NewReader(text))})
		require.Equal(t, err == nil, errSplit == nil, "%v, %v", err, errSplit)
		require.Equal(t, whole, split)
		if err != nil {
			return
		}
		for name, lines := range whole.header {
			require.Equal(t, textproto.CanonicalMIMEHeaderKey(name), name)
			require.True(t, httpguts.ValidHeaderFieldName(name), name)
			for _, line := range lines {
				require.NotContains(t, line, "\n")
				require.NotContains(t, line, "\r")
				require.NotContains(t, line, "\x00")
				require.Equal(t, trim(line), line)
			}
		}
		_, fields, _ := strings.Cut(text, "\n")
		theirs, err := textproto.NewReader(bufio.NewReader(strings.NewReader(fields))).ReadMIMEHeader()
		require.NoError(t, err)
		require.Equal(t, http.Header(theirs), whole.header)
	})
}
