package server

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// FuzzLaw holds the law for requests that are combined from those of the corpus,
// and for any bytes after them. The first two bytes of a recipe say under which
// configuration, with what in the store, over what kind of connection, and where
// the input is cut; see compose for the rest.
func FuzzLaw(f *testing.F) {
	cases := sample(f)
	words := newWords(cases)
	var with, without [2][]*side // over pipes, which are faster, and over TCP
	for _, lc := range lawConfigs {
		with[0] = append(with[0], newSide(f, lc, true, newPipes(), nil))
		without[0] = append(without[0], newSide(f, lc, false, newPipes(), nil))
		with[1] = append(with[1], newSide(f, lc, true, newSockets(f), nil))
		without[1] = append(without[1], newSide(f, lc, false, newSockets(f), nil))
	}
	ways := []talk{overPlainPipe, overTCP}
	random := rand.New(rand.NewPCG(1, 2))
	for i, c := range cases {
		if len(c.input) < 4<<10 { // longer ones slow the fuzzer down, and are compared anyway
			f.Add([]byte{byte(i), 0}, c.input)
		}
	}
	for range 200 {
		recipe := make([]byte, 2+random.IntN(40))
		for i := range recipe {
			recipe[i] = byte(random.Uint32())
		}
		f.Add(recipe, []byte(nil))
	}
	f.Fuzz(func(t *testing.T, recipe, rest []byte) {
		if len(recipe) < 2 {
			recipe = []byte{0, 0}
		}
		input := slices.Concat(words.compose(recipe[2:]), rest)
		if len(input) > 64<<10 {
			return
		}
		how, cut := int(recipe[0]), int(recipe[1])%(len(input)+1)
		which, warm, way := how%len(lawConfigs), how/4%4 > 0, 0
		if how/16%4 == 0 {
			way = 1
		}
		compare(t, with[way][which], without[way][which], ways[way], warm, input[:cut], input[cut:])
	})
}

// words are the parts of which heads are combined.
type words struct{ lines, fields, contents []string }

// newWords takes the parts of a corpus.
func newWords(cases []lawCase) words {
	var w words
	for _, c := range cases {
		head, content, _ := bytes.Cut(c.input, []byte("\r\n\r\n"))
		lines := strings.Split(string(head), "\r\n")
		w.lines = append(w.lines, short(lines[:1])...)
		w.fields = append(w.fields, short(lines[1:])...)
		w.contents = append(w.contents, short([]string{string(content)})...)
	}
	for _, list := range []*[]string{&w.lines, &w.fields, &w.contents} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return w
}

func short(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return len(s) > 300 })
}

// compose makes heads of a recipe. Each byte chooses a part; three of four times
// it is a usual one, so that most heads are sound.
func (w *words) compose(recipe []byte) []byte {
	var out []byte
	for len(recipe) >= 4 {
		out = append(out, usual(usualLines, w.lines, recipe[0], recipe[1])...)
		out = append(out, "\r\n"...)
		out = append(out, usual(usualHosts, w.fields, recipe[2], recipe[3])...)
		out = append(out, "\r\n"...)
		recipe = recipe[4:]
		for len(recipe) >= 2 && recipe[0]%4 != 3 {
			out = append(out, usual(usualFields, w.fields, recipe[0], recipe[1])...)
			out = append(out, "\r\n"...)
			recipe = recipe[2:]
		}
		out = append(out, "\r\n"...)
		if len(recipe) >= 2 && recipe[1]%16 == 0 {
			out = append(out, w.contents[int(recipe[0])%len(w.contents)]...)
		}
		recipe = recipe[min(2, len(recipe)):]
	}
	return out
}

func usual(some, all []string, a, b byte) string {
	if a%4 != 0 {
		return some[int(b)%len(some)]
	}
	return all[(int(a/4)<<8|int(b))%len(all)]
}

var (
	usualLines  = requestLines()
	usualHosts  = []string{"Host: a.example", "Host: a.example", "Host: x.example", "Host: b.example", "host:A.Example:80"}
	usualFields = []string{
		"Accept: */*", "Accept-Encoding: gzip", "Accept-Encoding: gzip, deflate, br", "Accept-Language: en", "Accept-Language: de",
		"User-Agent: x", "Cookie: a=1", "Cookie: _ga=1", "Connection: close", "Connection: keep-alive", "Connection: x-hop",
		"Cache-Control: no-cache", "Cache-Control: max-age=0", "Cache-Control: max-stale", "Cache-Control: only-if-cached",
		"Cache-Control: no-store", "Pragma: no-cache", `If-None-Match: "f"`, `If-None-Match: *`, `If-None-Match: "packed"`,
		"If-Modified-Since: " + modified, "If-Modified-Since: Sun, 31 Dec 2023 10:00:00 GMT", "Range: bytes=0-9", "Range: bytes=1-2,4-",
		`If-Range: "f"`, "Authorization: Basic x", "X-Forwarded-Proto: https", "X-Forwarded-Host: x.example", "X-Forwarded-For: 192.0.2.1",
		"X-Request-Id: mine", "Via: 1.1 other", "Via: 1.1 edge", "Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked",
		"Expect: 100-continue", "Upgrade: echo", "X-Hop: 1", "Max-Forwards: 0", "Accept: text/html", "TE: trailers", `If-Match: "f"`,
	}
)

// requestLines asks for every page there is, and some of them in odd ways.
func requestLines() (lines []string) {
	for path := range pages {
		lines = append(lines, "GET "+path+" HTTP/1.1", "HEAD "+path+" HTTP/1.1", "GET "+path+"?utm_x=1&b=2&a=1 HTTP/1.1")
	}
	slices.Sort(lines)
	return append(lines, "HEAD /headonly HTTP/1.1", "GET /headonly HTTP/1.1", "OPTIONS * HTTP/1.1", "DELETE /fresh HTTP/1.1", "POST /posted HTTP/1.1")
}
