package h2spec

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile is an input of the corpus, and what must come of it.
type hostile struct {
	file, place, why string
	sent             string
	want             string   // as a fate says it
	asked            []string // what reaches the origin

	stream  uint32   // of the request that is written
	pending []string // names and values of its header, or trailer
	open    bool     // something of it is missing
}

// corpus reads testdata. A line that begins with "# " says why an input is there;
// the lines that follow are the input:
//
//	GET http a.example /g    a request with these pseudo-header fields
//	REQUEST                  a request with none
//	| name: value            a field of it, or of its trailer
//	DATA text                content
//	TRAILER                  the trailer begins
//	OPEN                     END_STREAM does not come
//
// \r, \n, \t, \\ and \xHH are escapes; \*3{ab} is ababab. Then "= " gives the fate
// and each "> " a request that the origin gets.
func corpus(t *testing.T) (cases []*hostile) {
	files, err := filepath.Glob("testdata/*.h2.txt")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name := filepath.Base(file)
		for i, line := range strings.Split(string(text), "\n") {
			place := fmt.Sprintf("%s:%d", name, i+1)
			if why, ok := strings.CutPrefix(line, "# "); ok {
				cases = append(cases, &hostile{file: strings.TrimSuffix(name, ".h2.txt"), place: place, why: why})
			} else if line != "" {
				require.NotEmpty(t, cases, "%s: no line says why", place)
				require.NoError(t, cases[len(cases)-1].add(line), place)
			}
		}
	}
	for _, c := range cases {
		require.NotEmpty(t, c.sent, "%s: no input", c.place)
		require.NotEmpty(t, c.want, "%s: no fate", c.place)
	}
	return cases
}

func (c *hostile) add(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	if word != "=" && word != ">" && c.want != "" {
		return fmt.Errorf("input after the fate; a line that says why is missing")
	}
	switch word {
	case "=":
		c.finish(true)
		c.want = rest
	case ">":
		c.asked = append(c.asked, rest)
	case "|":
		name, value, ok := strings.Cut(rest[1:], ":")
		if !ok {
			return fmt.Errorf("no colon after the name of a field")
		}
		return c.unescape(rest[:1]+name, strings.TrimPrefix(value, " "))
	case "DATA":
		c.finish(false)
		text, err := unescape(rest)
		c.sent += data(c.stream, 0, text)
		return err
	case "TRAILER":
		c.finish(false)
		c.pending = []string{}
	case "OPEN":
		c.finish(false)
		c.open = false
	case "REQUEST":
		c.begin()
	default:
		parts := strings.Split(line, " ")
		if len(parts) != 4 {
			return fmt.Errorf("what is %q?", line)
		}
		c.begin()
		return c.unescape(":method", parts[0], ":scheme", parts[1], ":authority", parts[2], ":path", parts[3])
	}
	return nil
}

// begin begins a request.
func (c *hostile) begin() {
	c.finish(true)
	c.stream += 2
	if c.stream == 2 {
		c.stream = 1
	}
	c.pending, c.open = []string{}, true
}

// finish writes what is pending, as the last of its request or not.
func (c *hostile) finish(last bool) {
	switch {
	case c.pending != nil:
		block, flags := fields(c.pending...), endHeaders
		if last {
			flags |= endStream
		}
		if len(block) > 16384 {
			c.sent += bigRequest(c.stream, flags, block)
		} else {
			c.sent += headers(c.stream, flags, block)
		}
	case last && c.open:
		c.sent += data(c.stream, endStream, "")
	}
	c.pending, c.open = nil, c.open && !last
}

func (c *hostile) unescape(pairs ...string) error {
	for _, s := range pairs {
		s, err := unescape(s)
		if err != nil {
			return err
		}
		c.pending = append(c.pending, s)
	}
	return nil
}

var (
	repeats = regexp.MustCompile(`\\\*([0-9]+)\{([^}]*)\}`)
	escapes = regexp.MustCompile(`\\(x[0-9a-f]{2}|.)`)
)

// unescape writes out what is escaped.
func unescape(s string) (out string, err error) {
	s = repeats.ReplaceAllStringFunc(s, func(r string) string {
		m := repeats.FindStringSubmatch(r)
		n, _ := strconv.Atoi(m[1])
		return strings.Repeat(m[2], n)
	})
	s = escapes.ReplaceAllStringFunc(s, func(e string) string {
		if n, failed := strconv.ParseUint(strings.TrimPrefix(e[1:], "x"), 16, 8); len(e) == 4 && failed == nil {
			return string([]byte{byte(n)})
		}
		c, ok := map[string]string{`\r`: "\r", `\n`: "\n", `\t`: "\t", `\\`: `\`}[e]
		if !ok {
			err = fmt.Errorf("%s is no escape", e)
		}
		return c
	})
	return s, err
}
