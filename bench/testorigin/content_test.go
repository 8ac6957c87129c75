package testorigin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// whole is the first n bytes of a content.
func whole(c Content, n int) []byte {
	b := make([]byte, n)
	c.Fill(b, 0)
	return b
}

func TestContentInPieces(t *testing.T) {
	c := Identify("", "/a", "")
	want := whole(c, 100)
	for from := range 40 {
		for to := from; to <= 60; to++ {
			got := make([]byte, to-from)
			c.Fill(got, int64(from))
			require.Equal(t, want[from:to], got, "bytes %d to %d", from, to)
			require.NoError(t, c.Check(int64(from), got))
		}
	}
}

func TestCheckFindsEachWrongByte(t *testing.T) {
	c := Identify("", "/a", "")
	for from := range 10 {
		for n := 1; n < 30; n++ {
			for i := range n {
				p := make([]byte, n)
				c.Fill(p, int64(from))
				p[i] ^= 0x10
				require.ErrorContains(t, c.Check(int64(from), p), fmt.Sprintf("byte %d is ", from+i))
			}
		}
	}
}

func TestCheckTellsBodiesApart(t *testing.T) {
	c := Identify("", "/a", "")
	b := whole(c, 4096)
	assert.Error(t, Identify("", "/b", "").Check(0, b), "another target")
	assert.Error(t, Identify("h", "/a", "").Check(0, b), "another host")
	assert.Error(t, Identify("", "/a", "de").Check(0, b), "another language")
	for shift := int64(1); shift < 64; shift++ {
		assert.Error(t, c.Check(shift, b), "the right bytes in another place")
	}
	assert.Error(t, c.Check(0, make([]byte, 16)), "nothing at all")
}

func TestContentDoesNotCompress(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(whole(Identify("", "/a", ""), 1<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	assert.Greater(t, b.Len(), 1<<20*9/10)
}

func TestGzipForm(t *testing.T) {
	c := Identify("", "/a", "")
	for _, size := range []int{0, 1, 100, storedMax - 1, storedMax, storedMax + 1, 3*storedMax - 1, 3 * storedMax, 1 << 20} {
		var form bytes.Buffer
		buf := make([]byte, storedTop+storedMax)
		require.NoError(t, writeGzip(&form, c, int64(size), buf))
		assert.EqualValues(t, GzipSize(int64(size)), form.Len(), "form of %d bytes", size)
		z, err := gzip.NewReader(bytes.NewReader(form.Bytes()))
		require.NoError(t, err)
		got, err := io.ReadAll(z)
		require.NoError(t, err, "length and sum are right")
		assert.True(t, bytes.Equal(whole(c, size), got), "%d bytes", size)

		var part bytes.Buffer
		from, to := int64(form.Len()/3), int64(form.Len()-1)
		require.NoError(t, writeGzip(&section{w: &part, from: from, to: to}, c, int64(size), buf))
		assert.True(t, bytes.Equal(form.Bytes()[from:to], part.Bytes()), "part of the form of %d bytes", size)
	}
}

// FuzzContent: any piece is made and checked as in the whole.
func FuzzContent(f *testing.F) {
	f.Add(uint64(1), int64(0), uint16(9))
	f.Add(^uint64(0), int64(1<<40+3), uint16(1000))
	f.Fuzz(func(t *testing.T, id uint64, offset int64, n uint16) {
		if offset < 0 || offset > maxSize {
			return
		}
		c := Content(id)
		p := make([]byte, n)
		c.Fill(p, offset)
		require.NoError(t, c.Check(offset, p))
		if n > 1 {
			require.NoError(t, c.Check(offset+1, p[1:]))
			p[n/2]++
			require.Error(t, c.Check(offset, p))
		}
	})
}

func BenchmarkContent(b *testing.B) {
	p := make([]byte, 32<<10)
	c := Identify("", "/a", "")
	b.Run("Fill", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			c.Fill(p, 3)
		}
	})
	b.Run("Check", func(b *testing.B) {
		c.Fill(p, 3)
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			if err := c.Check(3, p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
