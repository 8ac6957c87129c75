package origin

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// answering serves connections: to each request it writes answer, with as
// little work as can be, so that a benchmark shows what the client costs.
func answering(b *testing.B, answer string) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				br := bufio.NewReader(conn)
				for {
					line, err := br.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 {
						if _, err := io.WriteString(conn, answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

const smallAnswer = "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 23 Nov 2026 01:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
	"Cache-Control: max-age=600\r\nETag: \"abc\"\r\nLast-Modified: Sun, 22 Nov 2026 01:00:00 GMT\r\nContent-Length: 1024\r\n\r\n"

func benchmark(b *testing.B, roundTrip func(*http.Request) (*http.Response, error), base string) {
	u, err := url.Parse(base + "/some/path?with=query")
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	r := (&http.Request{Method: "GET", URL: u, Host: "www.example.com", Header: http.Header{
		"Accept": {"*/*"}, "User-Agent": {"bench/1"}, "Accept-Encoding": {"gzip"}, "Via": {"1.1 edge"},
		"X-Forwarded-For": {"192.0.2.1"}, "X-Forwarded-Proto": {"http"}, "X-Request-Id": {"0123456789abcdef"},
	}}).WithContext(ctx)
	buf := make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := roundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for err == nil {
			var m int
			m, err = resp.Body.Read(buf)
			n += m
		}
		if err != io.EOF || n != 1024 {
			b.Fatal(n, err)
		}
		resp.Body.Close()
	}
}

// BenchmarkRoundTrip is a GET with a body of 1 KiB on a kept connection.
func BenchmarkRoundTrip(b *testing.B) {
	base := answering(b, smallAnswer+strings.Repeat("x", 1024))
	o, err := New(base, Options{})
	require.NoError(b, err)
	defer o.Close()
	benchmark(b, o.RoundTrip, base)
}

// BenchmarkTransport is the same through net/http.
func BenchmarkTransport(b *testing.B) {
	base := answering(b, smallAnswer+strings.Repeat("x", 1024))
	t := &http.Transport{DisableCompression: true, ReadBufferSize: 32 << 10}
	defer t.CloseIdleConnections()
	benchmark(b, t.RoundTrip, base)
}

// BenchmarkBare is the floor: the same bytes written and read by a loop that
// knows nothing of HTTP.
func BenchmarkBare(b *testing.B) {
	base := answering(b, smallAnswer+strings.Repeat("x", 1024))
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(b, err)
	defer conn.Close()
	request := []byte("GET /some/path?with=query HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n" +
		"User-Agent: bench/1\r\nVia: 1.1 edge\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Request-Id: 0123456789abcdef\r\n\r\n")
	buf := make([]byte, len(smallAnswer)+1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
	}
}
