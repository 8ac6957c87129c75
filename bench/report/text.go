package report

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// width is that of a terminal on which a report is readable.
const width = 80

// Text writes the run as tables of at most 80 columns, longer words apart.
func (r *Run) Text(w io.Writer) error {
	out := bufio.NewWriter(w)
	writeFacts(out, r.facts())
	for _, t := range r.tables() {
		out.WriteByte('\n')
		t.write(out)
	}
	writeNotes(out, r.notes())
	return out.Flush()
}

func writeFacts(out *bufio.Writer, facts [][2]string) {
	indent := 0
	for _, f := range facts {
		indent = max(indent, utf8.RuneCountInString(f[0])+2)
	}
	for _, f := range facts {
		for i, line := range wrap(f[1], width-indent) {
			if i == 0 {
				out.WriteString(pad(f[0], indent, false) + line + "\n")
			} else {
				out.WriteString(strings.Repeat(" ", indent) + line + "\n")
			}
		}
	}
}

func writeNotes(out *bufio.Writer, notes []string) {
	if len(notes) > 0 {
		out.WriteByte('\n')
	}
	for _, n := range notes {
		for i, line := range wrap(n, width-2) {
			out.WriteString([]string{"* ", "  "}[min(i, 1)] + line + "\n")
		}
	}
}

// write writes the table with its columns in line.
func (t table) write(out *bufio.Writer) {
	widths := make([]int, len(t.Head)+1)
	rows := append([][]string{append([]string{t.Title}, t.Head...)}, t.Rows...)
	for i, row := range rows {
		for j, cell := range row {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
			if i > 0 && j == 0 {
				widths[j] = max(widths[j], utf8.RuneCountInString(cell)+2)
			}
		}
	}
	for i, row := range rows {
		line := ""
		for j, cell := range row {
			switch {
			case j > 0:
				line += "  " + pad(cell, widths[j], true)
			case i > 0:
				line += pad("  "+cell, widths[j], false)
			default:
				line += pad(cell, widths[j], false)
			}
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func pad(s string, n int, right bool) string {
	space := strings.Repeat(" ", max(n-utf8.RuneCountInString(s), 0))
	if right {
		return space + s
	}
	return s + space
}

// wrap breaks a text at spaces, and after commas that are not within a number.
func wrap(text string, most int) (lines []string) {
	line := ""
	for text != "" {
		word := text[:wordEnd(text)]
		text = text[len(word):]
		if line != "" && utf8.RuneCountInString(strings.TrimRight(line+word, " ")) > most {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += word
	}
	return append(lines, strings.TrimRight(line, " "))
}

// wordEnd is where the first word of a text ends, with what separates it from
// the next one.
func wordEnd(text string) int {
	for i := range len(text) {
		if text[i] == ' ' || text[i] == ',' && (i+1 == len(text) || text[i+1] < '0' || text[i+1] > '9') {
			return i + 1
		}
	}
	return len(text)
}
