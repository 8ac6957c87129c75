package revalidate

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

// bodyOf makes a body of the given chunks.
func bodyOf(chunks ...string) Body {
	var pieces [][]byte
	for _, c := range chunks {
		pieces = append(pieces, []byte(c))
	}
	return bodyInPieces(pieces)
}

// part reads a part of a body.
func part(b Body, first, n int64) (out string, calls int) {
	_ = b.Each(first, n, func(c []byte) error {
		calls++
		out += string(c)
		return nil
	})
	return out, calls
}

func TestBodyEach(t *testing.T) {
	body := bodyOf("abc", "defgh", "i")
	for _, tc := range []struct {
		first, n int64
		want     string
		calls    int
	}{
		{0, 9, "abcdefghi", 3},
		{0, 3, "abc", 1},
		{3, 5, "defgh", 1},
		{2, 2, "cd", 2},
		{4, 2, "ef", 1},
		{8, 1, "i", 1},
		{0, 0, "", 0},
		{9, 1, "", 0},
		{8, 100, "i", 1},
		{1, math.MaxInt64, "bcdefghi", 3},
	} {
		got, calls := part(body, tc.first, tc.n)
		assert.Equal(t, tc.want, got, "%d bytes from %d", tc.n, tc.first)
		assert.Equal(t, tc.calls, calls, "%d bytes from %d: no chunk is handed out in vain", tc.n, tc.first)
	}
	no, calls := errors.New("no"), 0
	assert.ErrorIs(t, body.Each(0, 9, func([]byte) error { calls++; return no }), no)
	assert.Equal(t, 1, calls)
	none := NewBody(nil)
	assert.Zero(t, none.Size())
	assert.Equal(t, "x", content(NewBody([]byte("x"))))
}

func FuzzBodyEach(f *testing.F) {
	f.Add([]byte("abcdefghi"), uint8(3), int64(2), int64(4))
	f.Add([]byte("abcdefghi"), uint8(1), int64(1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, data []byte, size uint8, first, n int64) {
		if first < 0 || n < 0 {
			return
		}
		got, _ := part(chunked(data, int(size)), first, n)
		first = min(first, int64(len(data)))
		want := data[first:]
		want = want[:min(n, int64(len(want)))]
		assert.Equal(t, string(want), got)
	})
}

// chunked cuts data into chunks of a size.
func chunked(data []byte, size int) Body {
	var pieces [][]byte
	for len(data) > 0 {
		n := min(max(size, 1), len(data))
		pieces = append(pieces, data[:n])
		data = data[n:]
	}
	return bodyInPieces(pieces)
}

func TestEntryPart(t *testing.T) {
	held := &policy.Partial{Held: []policy.ByteRange{{First: 2, Last: 4}, {First: 10, Last: 12}}, Length: 20}
	e := &Entry{Stored: &policy.Stored{Partial: held}, Body: bodyOf("cd", "eklm")}
	for _, tc := range []struct {
		first, last int64
		want        string
	}{{2, 4, "cde"}, {3, 3, "d"}, {10, 12, "klm"}, {11, 12, "lm"}} {
		var got string
		require.NoError(t, e.Part(policy.ByteRange{First: tc.first, Last: tc.last}, func(c []byte) error {
			got += string(c)
			return nil
		}))
		assert.Equal(t, tc.want, got)
	}
	assert.EqualValues(t, 20, e.Length())
	whole := &Entry{Stored: &policy.Stored{}, Body: bodyOf("abc")}
	assert.EqualValues(t, 3, whole.Length())
}

const alphabet = "abcdefghijklmnopqrstuvwxyz"

// heldOf is a partial body of the alphabet, or of its capitals.
func heldOf(text string, spans ...[2]int64) (*policy.Partial, Body) {
	p := &policy.Partial{Length: 26}
	var chunks []string
	for _, s := range spans {
		p.Held = append(p.Held, policy.ByteRange{First: s[0], Last: s[1]})
		chunks = append(chunks, text[s[0]:s[1]+1])
	}
	return p, bodyOf(chunks...)
}

func TestJoinBodies(t *testing.T) {
	for _, tc := range []struct {
		name       string
		old, newer [][2]int64
		want       string
		parts      int
	}{
		{"one after the other", [][2]int64{{0, 2}}, [][2]int64{{3, 5}}, "abcDEF", 1},
		{"before it", [][2]int64{{3, 5}}, [][2]int64{{0, 2}}, "ABCdef", 1},
		{"apart", [][2]int64{{0, 1}}, [][2]int64{{10, 11}}, "abKL", 2},
		{"the newer one counts", [][2]int64{{0, 5}}, [][2]int64{{2, 3}}, "abCDef", 1},
		{"a gap is closed", [][2]int64{{0, 1}, {4, 5}}, [][2]int64{{2, 3}}, "abCDef", 1},
		{"overlapping both", [][2]int64{{0, 2}, {4, 6}}, [][2]int64{{2, 4}}, "abCDEfg", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			old, oldBody := heldOf(alphabet, tc.old...)
			newer, newBody := heldOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ", tc.newer...)
			joined, ok := old.Join(newer)
			require.True(t, ok)
			body := joinBodies(joined, old, oldBody, newer, newBody)
			assert.Equal(t, tc.want, content(body))
			assert.EqualValues(t, len(tc.want), body.Size())
			assert.Len(t, body.Chunks(), tc.parts)
		})
	}
}

func FuzzJoinBodies(f *testing.F) {
	f.Add([]byte{0, 5, 2, 3, 10, 12})
	f.Fuzz(func(t *testing.T, spans []byte) {
		want := map[int64]bool{}
		var p *policy.Partial
		var body Body
		for i := 0; i+1 < len(spans) && i < 20; i += 2 {
			a, z := int64(spans[i]%26), int64(spans[i+1]%26)
			a, z = min(a, z), max(a, z)
			newer, newBody := heldOf(alphabet, [2]int64{a, z})
			for at := a; at <= z; at++ {
				want[at] = true
			}
			if p == nil {
				p, body = newer, newBody
				continue
			}
			joined, ok := p.Join(newer)
			require.True(t, ok)
			p, body = joined, joinBodies(joined, p, body, newer, newBody)
		}
		if p == nil {
			return
		}
		require.EqualValues(t, len(want), body.Size())
		for at := range want {
			got, _ := part(body, offset(p.Held, at), 1)
			assert.Equal(t, alphabet[at:at+1], got, "byte %d", at)
		}
	})
}

func TestTrim(t *testing.T) {
	for _, tc := range []struct {
		used, memory int
		copied       bool
	}{{4096, 4096, false}, {3584, 4096, false}, {3000, 4096, true}, {1, 4096, true}} {
		t.Run(fmt.Sprint(tc.used), func(t *testing.T) {
			first := bytes.Repeat([]byte("a"), 100)
			last := make([]byte, tc.used, tc.memory)
			pieces := [][]byte{first, last}
			trim(pieces)
			assert.Equal(t, last, pieces[1])
			assert.Equal(t, tc.copied, cap(pieces[1]) < tc.memory)
			assert.Same(t, &first[0], &pieces[0][0], "only the last one may have slack")
			assert.Equal(t, tc.memory, cap(last), "the original is as it was")
		})
	}
	trim(nil)
}
