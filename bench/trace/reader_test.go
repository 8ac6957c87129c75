package trace

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readAll returns every request of a source and the reader at its end.
func readAll(t *testing.T, in io.Reader) ([]Request, *Reader) {
	t.Helper()
	r, err := NewReader("a.log", in)
	require.NoError(t, err)
	var all []Request
	for {
		rq, err := r.Next()
		if err == io.EOF {
			return all, r
		}
		require.NoError(t, err)
		all = append(all, rq)
	}
}

func targets(all []Request) (list []string) {
	for _, rq := range all {
		list = append(list, rq.Target)
	}
	return list
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestFormatIsFound(t *testing.T) {
	const line = `192.0.2.7 - - [29/Feb/2024:13:14:15 +0100] "GET /a HTTP/1.1" 200 5` + "\n"
	for name, text := range map[string]string{
		"trace":              "1 5\n2 6\n",
		"log":                line + line,
		"JSON":               `{"uri":"/a","bytes":5}` + "\n" + `{"uri":"/a","bytes":5}`,
		"broken lines first": "\n\x16\x03\n\nGET\n" + line + line,
		"Windows":            "1 5\r\n2 6\r\n",
		"no last newline":    "1 5\n2 6",
	} {
		t.Run(name, func(t *testing.T) {
			plain, _ := readAll(t, strings.NewReader(text))
			assert.Len(t, plain, 2)
			packed, _ := readAll(t, bytes.NewReader(zipped(t, text)))
			assert.Equal(t, plain, packed)
		})
	}
}

func TestNothingToRead(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "a.log: empty; expected \"ID SIZE\" lines"},
		{"only newlines", "\n\n\n", "a.log: empty"},
		{"prose", "hello\nworld\n", `line 1: no "[time]"; expected`},
		{"a trace with a bad size", "7 -1\n", `line 1: size "-1" is not a number; expected`},
		{"JSON without a size", `{"uri":"/"}`, "line 1: no size: neither body_bytes_sent"},
		{"many broken lines", strings.Repeat("x\n", 10*firstLines) + "1 5\n", "none of the first lines can be read"},
		{"one endless line", strings.Repeat("x", 3*maxLine), "line 1: longer than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := NewReader("a.log", strings.NewReader(tc.text))
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestBrokenLinesAreCounted(t *testing.T) {
	all, r := readAll(t, strings.NewReader(strings.Join([]string{
		"1 5", "1 -5", "", "2 99999999999999999999", "x 5", "3 5 ", "4", "18446744073709551615 1099511627776", "4 1099511627777",
	}, "\n")))
	assert.Equal(t, []string{"/o/1-5", "/o/3-5", "/o/18446744073709551615-1099511627776"}, targets(all))
	assert.Equal(t, 5, r.Skipped())
	assert.Equal(t, `line 2: size "-5" is not a number`, r.FirstSkipped())
	assert.Equal(t, "a.log", r.Name())

	_, r = readAll(t, strings.NewReader("1 5\n"))
	assert.Zero(t, r.Skipped())
	assert.Empty(t, r.FirstSkipped())
}

func TestLongLines(t *testing.T) {
	line := func(n int) string {
		const head, tail = `{"uri":"/`, `","bytes":5}`
		return head + strings.Repeat("a", n-len(head)-len(tail)) + tail
	}
	all, r := readAll(t, strings.NewReader(strings.Join([]string{
		line(maxLine), line(maxLine + 1), line(100), line(5 * maxLine), line(200), line(maxLine + 1),
	}, "\n")))
	require.Len(t, all, 3)
	assert.Equal(t, 3, r.Skipped())
	assert.Contains(t, r.FirstSkipped(), "line 2: longer than 1048576 bytes")
}

// failing gives its text and then an error.
func failing(text string) io.Reader {
	return io.MultiReader(strings.NewReader(text), errReader{errors.New("disk on fire")})
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestReadErrors(t *testing.T) {
	r, err := NewReader("a.log", failing("1 5\n2 6\n"))
	require.NoError(t, err)
	for range 2 {
		_, err = r.Next()
		require.NoError(t, err)
	}
	_, err = r.Next()
	assert.EqualError(t, err, "a.log: line 2: disk on fire")

	_, err = NewReader("a.log", failing("x\n"))
	assert.EqualError(t, err, "a.log: line 1: disk on fire")
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "absent"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(dir)
	assert.ErrorContains(t, err, "is a directory")

	path := filepath.Join(dir, "t.gz")
	packed := zipped(t, strings.Repeat("1 5\n", 1<<16))
	require.NoError(t, os.WriteFile(path, packed, 0o600))
	r, err := Open(path)
	require.NoError(t, err)
	rq, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, Request{Method: "GET", Target: "/o/1-5", Size: 5}, rq)
	require.NoError(t, r.Close())

	// A file that was cut off is not taken for a shorter one.
	require.NoError(t, os.WriteFile(path, packed[:len(packed)-20], 0o600))
	r, err = Open(path)
	require.NoError(t, err)
	defer r.Close()
	for err == nil {
		_, err = r.Next()
	}
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.ErrorContains(t, err, path)

	require.NoError(t, os.WriteFile(path, packed[:5], 0o600))
	_, err = Open(path)
	assert.ErrorContains(t, err, path)
}
