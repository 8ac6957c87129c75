package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The law of the lane: whatever a client sends, with and without the lane it gets
// the same answers, its connection has the same fate, and the same reaches the
// origin.

const aHit = "GET /fresh HTTP/1.1\r\nHost: a.example\r\n\r\n"

// ways are how each input is sent: alone, before a plain hit (which tells whether
// the connection goes on), between two, twice, and before a miss.
var ways = []struct {
	name    string
	segment func(input []byte) []byte
}{
	{"alone", func(in []byte) []byte { return in }},
	{"between hits", func(in []byte) []byte { return slices.Concat([]byte(aHit), in, []byte(aHit)) }},
	{"before a hit", func(in []byte) []byte { return slices.Concat(in, []byte(aHit)) }},
	{"twice", func(in []byte) []byte { return slices.Concat(in, in) }},
	{"after a miss", func(in []byte) []byte {
		return slices.Concat([]byte("GET /unknown?2 HTTP/1.1\r\nHost: x.example\r\n\r\n"), in)
	}},
	{"after another's", func(in []byte) []byte {
		return slices.Concat([]byte("OPTIONS * HTTP/1.1\r\nHost: x.example\r\n\r\n"), in, []byte(aHit))
	}},
}

// TestLaw holds the law in the time of a bubble, so that nothing is left out of
// the comparison but random ids. Connections are read as those of TLS are.
func TestLaw(t *testing.T) {
	cases := sample(t)
	for _, lc := range lawConfigs {
		t.Run(lc.name, func(t *testing.T) {
			with, without := recite(t, lc, true, cases), recite(t, lc, false, cases)
			require.Len(t, with, len(without))
			for i := range without {
				if diff := firstDifference(without[i].text, with[i].text); diff != "" {
					t.Fatalf("%s\n%s", without[i].name, diff)
				}
			}
		})
	}
}

// howMany ways are tried: under the first configuration all, where the store is
// warm.
func howMany(lc lawConfig, warm bool) int {
	if warm && lc.name == lawConfigs[0].name {
		return len(ways)
	}
	return 2
}

type recital struct{ name, text string }

// recite sends the corpus to a side in a bubble. Every input has its own moment,
// the same on both sides.
func recite(t *testing.T, lc lawConfig, lane bool, cases []lawCase) (said []recital) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(t, lc, lane, newPipes(), nil)
		start, count := time.Now(), 0
		for _, warm := range []bool{true, false} {
			for _, c := range cases {
				for _, way := range ways[:howMany(lc, warm)] {
					count++
					time.Sleep(time.Until(start.Add(time.Duration(count) * 10 * time.Second)))
					s.reset(warm)
					talked := overPipe(synctest.Wait)(t, s, way.segment(c.input))
					said = append(said, recital{
						fmt.Sprintf("%s, %s, warm=%t: %.300q", c.why, way.name, warm, c.input), talked.write(false),
					})
				}
			}
		}
	})
	return said
}

// TestLawInPieces cuts inputs in two, everywhere.
func TestLawInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		with := newSide(t, lawConfigs[0], true, newPipes(), nil)
		without := newSide(t, lawConfigs[0], false, newPipes(), nil)
		send := overPipe(synctest.Wait)
		for _, c := range sample(t) {
			input := slices.Concat(c.input, []byte(aHit))
			without.reset(true)
			whole := send(t, without, input)
			want := whole.write(true)
			for _, cut := range cuts(len(c.input) + 5) {
				with.reset(true)
				pieces := send(t, with, input[:cut], input[cut:])
				if diff := firstDifference(want, pieces.write(true)); diff != "" {
					t.Fatalf("%s, cut at %d: %.300q\n%s", c.why, cut, c.input, diff)
				}
			}
		}
		time.Sleep(time.Second) // what net/http lets linger
	})
}

// cuts are all places where a short input can be cut, and some of a long one.
func cuts(size int) (at []int) {
	for i := 1; i < size; i++ {
		if i < 300 || i%4096 < 2 || size-i < 20 {
			at = append(at, i)
		}
	}
	return at
}

// TestLawOverTLS holds the law for clients of HTTP/1.1 in TLS.
func TestLawOverTLS(t *testing.T) {
	cert, key := newPEM(t, inHalfAYear(), "a.example")
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	secure := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		return ln
	}
	with := newSide(t, lawConfigs[0], true, listen(), secure)
	without := newSide(t, lawConfigs[0], false, listen(), secure)
	compareAll(t, with, without, overTLS, false)
}

// compareAll sends the corpus, each input in two segments. What nobody reads to
// its end takes half a second each time, so that only one thorough run has it.
func compareAll(t *testing.T, with, without *side, send talk, thorough bool) {
	for i, c := range sample(t) {
		if len(c.input) > 64<<10 && !thorough {
			continue
		}
		input := slices.Concat(c.input, []byte(aHit))
		cut := i * 7 % len(input)
		if !compare(t, with, without, send, true, input[:cut], input[cut:]) {
			t.Fatalf("%s, cut at %d", c.why, cut)
		}
		if thorough && !compare(t, with, without, send, false, input) {
			t.Fatal(c.why)
		}
	}
}

// compare holds the law for one input.
func compare(t testing.TB, with, without *side, send talk, warm bool, segments ...[]byte) bool {
	without.reset(warm)
	want := send(t, without, segments...)
	with.reset(warm)
	got := send(t, with, segments...)
	diff := difference(&want, &got)
	if diff != "" {
		t.Errorf("%.2000q, store filled: %t\n%s", bytes.Join(segments, []byte(" | ")), warm, diff)
	}
	return diff == ""
}
