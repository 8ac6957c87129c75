package explain

import (
	"bufio"
	"fmt"
	"strings"
	"unicode"
)

// width is that of the text, in columns.
const width = 80

// pen writes lines.
type pen struct {
	w      *bufio.Writer
	colour bool
}

func (p *pen) line(s string) { fmt.Fprintln(p.w, s) }

func (p *pen) escaped(code, format string, v ...any) string {
	s := fmt.Sprintf(format, v...)
	if !p.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *pen) bold(format string, v ...any) string { return p.escaped("1", format, v...) }

// step writes a sentence, and paler what it rests on.
func (p *pen) step(s Step) {
	text, clause := s.Sentence, " ("+s.Clause+")"
	if s.Clause == "" || !strings.HasSuffix(text, clause) {
		p.wrap("  - ", nil, text)
		return
	}
	lines := fold(text, width-4)
	pale := len(text) - len(clause)
	for i, line := range lines {
		mark := "    "
		if i == 0 {
			mark = "  - "
		}
		// What of the line belongs to the clause is at its end.
		plain := min(len(line), max(0, pale))
		out := mark + shown(line[:plain])
		if rest := line[plain:]; rest != "" {
			out += p.escaped("2", "%s", shown(rest))
		}
		p.line(out)
		pale -= len(line) + 1
	}
}

// wrap writes a text with a mark before it, in lines that fit, and indents them alike.
func (p *pen) wrap(mark string, paint func(string, ...any) string, text string) {
	indent := strings.Repeat(" ", len(mark))
	for _, line := range fold(text, width-len(mark)) {
		line = shown(line)
		if paint != nil {
			line = paint("%s", line)
		}
		p.line(mark + line)
		mark = indent
	}
}

// fold breaks a text at spaces into lines of at most so many bytes, where it can.
func fold(text string, most int) (lines []string) {
	for len(text) > most {
		at := strings.LastIndexByte(text[:most+1], ' ')
		if at <= 0 {
			if at = strings.IndexByte(text, ' '); at < 0 {
				break
			}
		}
		lines = append(lines, text[:at])
		text = text[at+1:]
	}
	return append(lines, text)
}

// shown keeps what came from elsewhere from steering the terminal.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
