package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var saved = time.Date(2031, 4, 5, 6, 7, 8, 9, time.UTC)

// written is a snapshot of records with these bodies, whose heads are their numbers.
func written(t testing.TB, bodies ...string) []byte {
	var out bytes.Buffer
	w, err := NewWriter(&out, saved, int64(len(bodies)))
	require.NoError(t, err)
	for i, body := range bodies {
		middle := len(body) / 2
		require.NoError(t, w.Write([]byte(fmt.Sprint(i)), [][]byte{[]byte(body[:middle]), []byte(body[middle:])}))
	}
	require.NoError(t, w.Close())
	assert.EqualValues(t, len(bodies), w.Records())
	assert.EqualValues(t, out.Len(), w.Bytes())
	return out.Bytes()
}

// readAll returns the intact records as "head=body".
func readAll(r *Reader) (all []string, err error) {
	for {
		head, size, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		name := string(head)
		body, err := io.ReadAll(r)
		if r.Intact() {
			if err != nil || int64(len(body)) != size {
				return all, fmt.Errorf("%s is intact, but has %d bytes of %d: %v", name, len(body), size, err)
			}
			all = append(all, name+"="+string(body))
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", bufferSize/8)
	in := written(t, "one", "", long, "last")
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(in), "in halves": iotest.HalfReader(bytes.NewReader(in)), "byte by byte": iotest.OneByteReader(bytes.NewReader(in))} {
		t.Run(name, func(t *testing.T) {
			s, err := NewReader(r)
			require.NoError(t, err)
			assert.True(t, saved.Equal(s.Time()))
			got, err := readAll(s)
			require.NoError(t, err)
			assert.Equal(t, []string{"0=one", "1=", "2=" + long, "3=last"}, got)
			assert.Zero(t, s.Lost())
			assert.False(t, s.Truncated())
			assert.EqualValues(t, len(in), s.Bytes())
		})
	}
}

func TestBodiesNeedNotBeRead(t *testing.T) {
	s, err := NewReader(bytes.NewReader(written(t, "one", "two", "three")))
	require.NoError(t, err)
	var heads []string
	for {
		head, _, err := s.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		heads = append(heads, string(head))
	}
	assert.Equal(t, []string{"0", "1", "2"}, heads)
	assert.Zero(t, s.Lost())
}

var bodies = []string{"first", strings.Repeat("x", 100), "", "fourth", "the last one"}

// all is what is read of all bodies.
func all() (want []string) {
	for i, body := range bodies {
		want = append(want, fmt.Sprintf("%d=%s", i, body))
	}
	return want
}

// A byte that is broken, wherever it is, costs at most the record that it is in, and
// it is counted.
func TestABrokenByteCostsOneRecord(t *testing.T) {
	in := written(t, bodies...)
	for at := range in {
		for _, flip := range []byte{1, 0x80, 0xff} {
			broken := slices.Clone(in)
			broken[at] ^= flip
			s, err := NewReader(bytes.NewReader(broken))
			require.NoError(t, err, "byte %d", at)
			got, err := readAll(s)
			require.NoError(t, err, "byte %d", at)
			require.LessOrEqual(t, s.Lost(), int64(1), "byte %d", at)
			require.EqualValues(t, len(bodies), int64(len(got))+s.Lost(), "byte %d: %d lost", at, s.Lost())
			require.Subset(t, all(), got, "byte %d", at)
		}
	}
}

// What is cut off loses what is behind the cut.
func TestACutCostsWhatIsBehindIt(t *testing.T) {
	in := written(t, bodies...)
	whole := 0
	for n := 2 * headSize; n < len(in); n++ {
		s, err := NewReader(bytes.NewReader(in[:n]))
		require.NoError(t, err)
		got, err := readAll(s)
		require.NoError(t, err, "%d bytes", n)
		require.True(t, s.Truncated(), "%d bytes", n)
		require.EqualValues(t, len(bodies), int64(len(got))+s.Lost(), "%d bytes: %d lost", n, s.Lost())
		require.Equal(t, all()[:len(got)], append([]string{}, got...), "%d bytes", n)
		require.GreaterOrEqual(t, len(got), whole)
		whole = len(got)
	}
	assert.Equal(t, len(bodies), whole, "only the end was missing")
}

// Where bytes are missing the records behind them are read as part of the broken one,
// as many as there are bytes missing.
func TestWhatIsMissingInTheMiddleIsCounted(t *testing.T) {
	bodies := append(slices.Clone(bodies), strings.Repeat("y", 200), "the end")
	in := written(t, bodies...)
	at := bytes.Index(in, []byte("xxxx"))
	for _, n := range []int{1, 50, 100} {
		s, err := NewReader(bytes.NewReader(slices.Delete(slices.Clone(in), at, at+n)))
		require.NoError(t, err)
		got, err := readAll(s)
		require.NoError(t, err)
		assert.Contains(t, got, "0=first")
		assert.Contains(t, got, "6=the end")
		assert.EqualValues(t, len(bodies)-len(got), s.Lost())
	}
}

// Content that looks like a record of another snapshot is not taken for one when the
// record that it is in is broken.
func TestContentIsNoRecord(t *testing.T) {
	forged := string(written(t, "forged"))
	in := written(t, "first", forged, "last")
	at := bytes.Index(in, []byte(forged)) - frameSize
	in[at+markerSize] ^= 1 // of the number in the frame
	s, err := NewReader(bytes.NewReader(in))
	require.NoError(t, err)
	got, err := readAll(s)
	require.NoError(t, err)
	assert.Equal(t, []string{"0=first", "2=last"}, got)
	assert.EqualValues(t, 1, s.Lost())
}

func TestForeignFilesAreRefused(t *testing.T) {
	in := written(t, "one")
	newer := head{version: Version + 1, saved: saved}
	for name, tc := range map[string]struct {
		in   []byte
		want string
	}{
		"empty":             {nil, "no snapshot of cacheproxy"},
		"short":             {in[:2*headSize-1], "no snapshot of cacheproxy"},
		"another file":      {bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 100), "no snapshot of cacheproxy"},
		"both heads":        {append(bytes.Repeat([]byte{0}, 2*headSize), in[2*headSize:]...), "no snapshot of cacheproxy"},
		"of a newer format": {newer.append(newer.append(nil)), "version 2 of the format"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewReader(bytes.NewReader(tc.in))
			var format *FormatError
			require.ErrorAs(t, err, &format)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestErrorsOfReadingAreTold(t *testing.T) {
	in := written(t, bodies...)
	broken := errors.New("the disk is gone")
	for _, n := range []int{10, 2 * headSize, 2*headSize + frameSize, len(in) - 10} {
		s, err := NewReader(io.MultiReader(bytes.NewReader(in[:n]), iotest.ErrReader(broken)))
		if err == nil {
			_, err = readAll(s)
		}
		assert.ErrorIs(t, err, broken, "after %d bytes", n)
	}
}

func TestErrorsOfWritingAreTold(t *testing.T) {
	full := errors.New("the disk is full")
	for _, n := range []int{0, 100, bufferSize + 10} {
		w, err := NewWriter(&limited{n, full}, saved, 1)
		if err == nil {
			err = w.Write([]byte("head"), [][]byte{make([]byte, 2*bufferSize)})
		}
		if err == nil {
			err = w.Close()
		}
		assert.ErrorIs(t, err, full, "after %d bytes", n)
	}
}

func TestHeadsHaveBounds(t *testing.T) {
	w, err := NewWriter(io.Discard, saved, 1)
	require.NoError(t, err)
	assert.ErrorContains(t, w.Write(nil, nil), "0 bytes")
	assert.ErrorContains(t, w.Write(make([]byte, MostHead+1), nil), "16777217 bytes")
	assert.Zero(t, w.Records())
}

// limited takes so many bytes and then fails.
type limited struct {
	left int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, l.err
	}
	return len(p), nil
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cache.snap")
	write := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, _ = io.WriteString(w, text)
			return err
		}
	}
	require.NoError(t, WriteFile(path, write("first", nil)))
	require.NoError(t, WriteFile(path, write("second", nil)))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	err = WriteFile(path, write("half", errors.New("interrupted")))
	assert.ErrorContains(t, err, path+": interrupted")
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "second", string(got), "the old one stays")

	killed, fresh := path+".1.tmp", path+".2.tmp"
	require.NoError(t, os.WriteFile(killed, nil, 0o600))
	require.NoError(t, os.WriteFile(fresh, nil, 0o600))
	require.NoError(t, os.Chtimes(killed, time.Time{}, time.Now().Add(-2*leftover)))
	require.NoError(t, WriteFile(path, write("third", nil)))
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	assert.Equal(t, []string{path, fresh}, names, "nothing is left of those that failed; another process may write one now")

	assert.ErrorContains(t, WriteFile(dir, write("x", nil)), dir+" is no regular file")
	assert.ErrorContains(t, WriteFile(filepath.Join(dir, "none", "x"), write("", nil)), "no such file")
}

func FuzzReader(f *testing.F) {
	in := written(f, bodies...)
	f.Add(in, 0)
	f.Add(in[:len(in)-20], 200)
	f.Add([]byte("something else"), 3)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		if at >= 0 && at < len(in) { // beyond the heads, which no fuzzer would guess
			b = append(slices.Clone(in[:at]), b...)
		}
		s, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		got, err := readAll(s)
		require.NoError(t, err)
		require.Subset(t, all(), got)
		require.GreaterOrEqual(t, s.Lost(), int64(0))
	})
}
