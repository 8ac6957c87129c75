package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostileCase is an input of the corpus, and what must come of it.
type hostileCase struct {
	place, why string
	input      []byte
	fate       string   // statuses of the answers, and whether the connection is open or closed
	asked      []string // what reaches the origin
}

// corpus reads testdata. A line that begins with "# " says why an input is there.
// The lines that follow are the input; line ends count only where they are
// written out, as \r and \n; \t, \\ and \xHH are escapes, too, and \*3{ab} is
// ababab. Then "= " gives the fate and each "> " a request that the origin gets.
func corpus(t *testing.T) (cases []hostileCase) {
	files, err := filepath.Glob("testdata/*.raw.txt")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, line := range strings.Split(string(text), "\n") {
			place := fmt.Sprintf("%s:%d", filepath.Base(file), i+1)
			why, isWhy := strings.CutPrefix(line, "# ")
			if isWhy {
				cases = append(cases, hostileCase{place: place, why: why})
				continue
			}
			if line == "" {
				continue
			}
			require.NotEmpty(t, cases, "%s: no line says why", place)
			require.NoError(t, cases[len(cases)-1].add(line), place)
		}
	}
	for _, c := range cases {
		require.NotEmpty(t, c.input, "%s: no input", c.place)
		require.NotEmpty(t, c.fate, "%s: no fate", c.place)
	}
	return cases
}

func (c *hostileCase) add(line string) error {
	if fate, ok := strings.CutPrefix(line, "= "); ok {
		c.fate = fate
		return nil
	}
	if asked, ok := strings.CutPrefix(line, "> "); ok {
		c.asked = append(c.asked, asked)
		return nil
	}
	if c.fate != "" {
		return fmt.Errorf("input after the fate; a line that says why is missing")
	}
	input, err := unescape(line)
	c.input = append(c.input, input...)
	return err
}

var escapes = map[byte]byte{'r': '\r', 'n': '\n', 't': '\t', '\\': '\\'}

func unescape(s string) (out []byte, err error) {
	for s != "" {
		before, after, found := strings.Cut(s, `\`)
		out = append(out, before...)
		if !found {
			return out, nil
		}
		if after == "" {
			return nil, fmt.Errorf(`nothing after the last \`)
		}
		kind, rest := after[0], after[1:]
		if kind == '*' {
			if out, s, err = repeat(out, rest); err != nil {
				return nil, err
			}
			continue
		}
		c, plain := escapes[kind]
		if !plain {
			if kind != 'x' || len(rest) < 2 {
				return nil, fmt.Errorf(`\%c is no escape`, kind)
			}
			n, err := strconv.ParseUint(rest[:2], 16, 8)
			if err != nil {
				return nil, err
			}
			c, rest = byte(n), rest[2:]
		}
		out, s = append(out, c), rest
	}
	return out, nil
}

// repeat reads 3{ab}.
func repeat(out []byte, s string) ([]byte, string, error) {
	count, after, ok := strings.Cut(s, "{")
	part, after, closed := strings.Cut(after, "}")
	n, err := strconv.Atoi(count)
	if !ok || !closed || err != nil {
		return nil, "", fmt.Errorf(`after \* comes a number and {...}`)
	}
	inner, err := unescape(part)
	for range n {
		out = append(out, inner...)
	}
	return out, after, err
}
