package server

import (
	"bufio"
	"bytes"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// stroll walks along chunked content. It returns where that ends, or -1 where it
// is wrong, or -2 where more of it is to come.
func stroll(b []byte) int {
	w := walk{next: chunkSize}
	for at := 0; ; {
		if w.left > int64(len(b)-at) {
			return -2
		}
		at += int(w.left)
		w.left = 0
		if w.over() {
			return at
		}
		switch whole, ok := w.line(b[at:]); {
		case !ok:
			return -1
		case !whole:
			return -2
		}
	}
}

// TestWalk: chunked content ends where RFC 9112, 7.1, says, and what is not as it
// says has no end.
func TestWalk(t *testing.T) {
	const wrong, more = -1, -2
	for _, tc := range []struct {
		content string
		end     int
	}{
		{"0\r\n\r\nGET ", 5},
		{"5\r\nhello\r\n0\r\n\r\n", 15},
		{"A\r\n0123456789\r\n000\r\n\r\n", 22},
		{"1;a\r\nx\r\n1;a=b;c=\"d;\\\"e\"\r\ny\r\n0;f\r\n\r\n", 35},
		{"1; a = b\r\nx\r\n0\r\n\r\n", 18},
		{"0\r\nX: y\r\nZ:\r\n\r\n", 15},
		{"", more},
		{"5", more},
		{"5\r", more},
		{"5\r\nhel", more},
		{"5\r\nhello\r", more},
		{"0\r\n", more},
		{"0\r\nX: y\r\n\r", more},
		{"5\nhello\r\n0\r\n\r\n", wrong},
		{"5\r\nhello\n", wrong},
		{"5\r\nhelloX\r\n", wrong},
		{"5\r\nhelloXX", wrong},
		{"5\r\nhello!", more},
		{"\r\n", wrong},
		{"g\r\n", wrong},
		{"-1\r\n", wrong},
		{" 1\r\n", wrong},
		{"1 \r\n", wrong},
		{"1 ;a\r\n", wrong},
		{"0x1\r\n", wrong},
		{"1;\r\n", wrong},
		{"1;a=\r\n", wrong},
		{"1;a=\"b\r\n", wrong},
		{"1;a=\"b\"c\r\n", wrong},
		{"1;a\x00\r\n", wrong},
		{"1;a\rb\r\n", wrong},
		{"fffffffffffffff\r\n", more},
		{"1000000000000000\r\n", wrong},
		{strings.Repeat("0", 15) + "\r\n\r\n", 19},
		{strings.Repeat("0", 16) + "\r\n\r\n", wrong},
		{"1;" + strings.Repeat("a", maxChunkLine-2) + "\r\nx\r\n0\r\n\r\n", maxChunkLine + 10},
		{"1;" + strings.Repeat("a", maxChunkLine-1) + "\r\nx\r\n0\r\n\r\n", wrong},
		{"1;" + strings.Repeat("a", maxChunkLine), wrong},
		{"0\r\nX : y\r\n\r\n", wrong},
		{"0\r\nX: y\r\n z\r\n\r\n", wrong},
		{"0\r\nX: \x00\r\n\r\n", wrong},
		{"0\r\nXy\r\n\r\n", wrong},
		{"0\r\nX: y\n\r\n", wrong},
		{"0\r\n" + strings.Repeat("X: y\r\n", maxTrailer/6) + "\r\n", maxTrailer/6*6 + 5},
		{"0\r\n" + strings.Repeat("X: y\r\n", maxTrailer/6+1) + "\r\n", wrong},
	} {
		assert.Equal(t, tc.end, stroll([]byte(tc.content)), "%.100q", tc.content)
	}
}

// FuzzWalk: where the walk sees an end, the library decodes the same bytes, and
// reads no further.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{"5\r\nhello\r\n0\r\n\r\n", "1;a=\"b\"\r\nx\r\n0;c\r\n\r\nGET /", "0\r\nX: y\r\n\r\n", unframed} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end := stroll(b)
		if end < 0 {
			return
		}
		br := bufio.NewReader(bytes.NewReader(b))
		if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(br)); err != nil {
			if !strings.Contains(err.Error(), "too much non-data") {
				t.Fatalf("%q: %v", b[:end], err)
			}
			return
		}
		rest, _ := io.ReadAll(br) // the trailer section and what follows
		trailer := bytes.TrimSuffix(rest, b[end:])
		if len(rest) != len(trailer)+len(b)-end || !bytes.HasSuffix(trailer, []byte("\r\n")) {
			t.Fatalf("%q ends at %d, where the library leaves %q", b, end, rest)
		}
	})
}

// TestUnframedIsWrongEverywhere: the library finds the fault wherever it stands.
func TestUnframedIsWrongEverywhere(t *testing.T) {
	for _, before := range []string{"", "5\r\nhello\r\n", "5\r\nhello"} {
		_, err := io.Copy(io.Discard, httputil.NewChunkedReader(strings.NewReader(before+unframed)))
		assert.Error(t, err, "after %q", before)
	}
}
