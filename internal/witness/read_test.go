package witness

import (
	"bufio"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const via = "Host: a\r\nVia: 1.1 edge\r\n"

func TestRead(t *testing.T) {
	br := bufio.NewReader(strings.NewReader(
		"GET /g?a=\xe9 HTTP/1.1\r\n" + via + "X: \r\nX: a\tb\r\n\r\n" +
			"POST /p HTTP/1.1\r\n" + via + "Content-Length: 5\r\n\r\nhello" +
			"POST /p HTTP/1.1\r\n" + via + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n"))
	for _, want := range []string{`GET a /g?a=\xe9 {X: } {X: a\tb}`, `POST a /p "hello"`, `POST a /p {Trailer: X} {trailer X: y} "hello"`} {
		a, err := read(br)
		require.NoError(t, err)
		assert.Equal(t, want, a.String())
	}
	_, err := read(br)
	assert.ErrorIs(t, err, errCutOff)
}

// TestFaults: whatever has two readings is a fault; what breaks off is no request.
func TestFaults(t *testing.T) {
	const get, post = "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n"
	for text, want := range map[string]string{
		"GET / HTTP/1.0\r\n":                       "request line",
		"GET  / HTTP/1.1\r\n":                      "request line",
		"\r\n":                                     "request line",
		"GET / HTTP/1.1\n":                         "line",
		get + "Host : a\r\n":                       "field line",
		get + "Host: a \r\n":                       "field line",
		get + "Host:a\r\n":                         "field line",
		get + " b: c\r\n":                          "field line",
		get + "X: a\rb\r\n":                        "line",
		get + "X: a\x00b\r\n":                      "line",
		get + "Via: 1.1 edge\r\n\r\n":              "not one Host",
		get + via + "Host: b\r\n\r\n":              "not one Host",
		get + "Host: a\r\n\r\n":                    "the proxy did not write",
		post + via + "Content-Length: +1\r\n\r\na": "Content-Length",
		post + via + "Content-Length: 01\r\n\r\na": "Content-Length",
		post + via + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na":            "Content-Length",
		post + via + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na":   "Content-Length",
		post + via + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n":          "Transfer-Encoding",
		post + via + "Transfer-Encoding: chunked\r\n\r\n01\r\na\r\n0\r\n\r\n":     "chunk size",
		post + via + "Transfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n":    "chunk size",
		post + via + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n":     "after a chunk",
		post + via + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX : y\r\n": "field line",
		"":           "cut off",
		"GET / HTTP": "cut off",
		get + via:    "cut off",
		post + via + "Content-Length: 2\r\n\r\na":                        "cut off",
		post + via + "Transfer-Encoding: chunked\r\n\r\n2\r\na":          "cut off",
		post + via + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n": "cut off",
	} {
		_, err := read(bufio.NewReader(strings.NewReader(text)))
		assert.ErrorContains(t, err, want, "%q", text)
	}
}
