package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lawCase is an input of the corpus: what a client sends.
type lawCase struct {
	why   string
	input []byte
}

// corpus reads testdata/heads. A line that begins with # says why an input is
// there; the lines up to the next empty one are the input. Line ends count only
// where they are written out, as \r and \n; \t, \\ and \xHH are escapes, too,
// and \*3{ab} is ababab.
func corpus(t testing.TB) []lawCase {
	files, err := filepath.Glob("testdata/heads/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var cases []lawCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		theme := strings.TrimSuffix(filepath.Base(file), ".txt")
		why := ""
		for number, line := range strings.Split(string(text), "\n") {
			switch {
			case strings.HasPrefix(line, "#"):
				why = theme + ": " + strings.TrimSpace(line[1:])
				cases = append(cases, lawCase{why: why})
			case line == "":
				why = ""
			default:
				require.NotEmpty(t, why, "%s:%d has no line that says why", file, number+1)
				input, err := unescape(line)
				require.NoError(t, err, "%s:%d", file, number+1)
				last := &cases[len(cases)-1]
				last.input = append(last.input, input...)
			}
		}
	}
	return cases
}

// sample is the corpus, or as much of it as there is time for.
func sample(t testing.TB) (some []lawCase) {
	for i, c := range corpus(t) {
		if i%sparse == 0 {
			some = append(some, c)
		}
	}
	return some
}

func unescape(s string) ([]byte, error) {
	var out []byte
	for s != "" {
		if s[0] != '\\' {
			out, s = append(out, s[0]), s[1:]
			continue
		}
		if len(s) < 2 {
			return nil, fmt.Errorf("nothing after the last \\")
		}
		kind, rest := s[1], s[2:]
		switch kind {
		case 'r':
			out = append(out, '\r')
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case '\\':
			out = append(out, '\\')
		case 'x':
			c, err := strconv.ParseUint(rest[:min(2, len(rest))], 16, 8)
			if err != nil {
				return nil, err
			}
			out, rest = append(out, byte(c)), rest[2:]
		case '*':
			count, after, ok := strings.Cut(rest, "{")
			part, after, closed := strings.Cut(after, "}")
			n, err := strconv.Atoi(count)
			if !ok || !closed || err != nil {
				return nil, fmt.Errorf(`after \* comes a number and {...}`)
			}
			inner, err := unescape(part)
			if err != nil {
				return nil, err
			}
			for range n {
				out = append(out, inner...)
			}
			rest = after
		default:
			return nil, fmt.Errorf(`\%c is no escape`, kind)
		}
		s = rest
	}
	return out, nil
}
