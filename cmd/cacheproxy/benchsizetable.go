package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"cacheproxy/bench/simulate"
	"cacheproxy/config"
)

// printSizing prints the answer of bench size for a person.
func printSizing(w io.Writer, s *simulate.Sizing) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s requests for %s objects, %s of which were asked for once.\n",
		grouped(s.Requests), grouped(int64(s.Objects)), percent(float64(s.OnceOnly)/float64(s.Objects)))
	fmt.Fprintf(&b, "The objects have %s; a cache needs %s to keep them all.\n", about(s.Footprint), about(s.Memory))
	if s.TooLarge > 0 {
		fmt.Fprintf(&b, "%s objects are too large to be stored.\n", grouped(int64(s.TooLarge)))
	}
	if n := s.Left.Requests(); n > 0 {
		fmt.Fprintf(&b, "Not cacheable, and on top for the origin: %s requests with %s\n(other methods %s, other statuses %s, not to be shared %s).\n",
			grouped(n), about(s.Left.Bytes), grouped(s.Left.Method), grouped(s.Left.Status), grouped(s.Left.Private))
	}
	b.WriteString("\n")
	b.WriteString(sizingTable(s) + "\n")
	for _, a := range s.Answers {
		b.WriteString(verdict(s, a))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sizingTable has a line for each size, and a block of columns for each engine.
func sizingTable(s *simulate.Sizing) string {
	engines := len(s.Answers)
	lines := [][]string{append([]string{"cache size"}, slices.Repeat([]string{"hits", "bytes", "requests", "bytes"}, engines)...)}
	for i, row := range s.Rows {
		if i%engines == 0 {
			lines = append(lines, []string{config.Size(row.Size).String()})
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], cells(row.Outcome)...)
	}
	lines = append(lines, append([]string{"unlimited"}, slices.Repeat(cells(s.Unlimited), engines)...))

	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%*s", widths[0], "")
	for i, a := range s.Answers {
		w := widths[1+4*i:]
		fmt.Fprintf(&b, "   %-*s %*s", w[0]+w[1]+1, a.Engine, w[2]+w[3]+1, "left for origin")
	}
	for _, line := range lines {
		b.WriteString("\n")
		for i, cell := range line {
			if i > 0 {
				b.WriteString(" ")
			}
			if i%4 == 1 { // a block begins
				b.WriteString("  ")
			}
			fmt.Fprintf(&b, "%*s", widths[i], cell)
		}
	}
	return b.String() + "\n"
}

func cells(o simulate.Outcome) []string {
	return []string{percent(o.HitRatio), percent(o.ByteHitRatio), grouped(o.OriginRequests), about(o.OriginBytes)}
}

// verdict is the answer to the question, for one engine.
func verdict(s *simulate.Sizing, a simulate.Answer) string {
	switch {
	case s.Unlimited.HitRatio == 0:
		return fmt.Sprintf("%s: no cache helps, since nothing is asked for twice.\n", a.Engine)
	case a.Enough:
		return fmt.Sprintf("%s: %s is enough; it gets %s of the hits that any size could.\n", a.Engine, config.Size(a.Size), percent(a.Share))
	}
	return fmt.Sprintf("%s: %s is not enough; it gets only %s of the hits that any size could.\n", a.Engine, config.Size(a.Size), percent(a.Share))
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }

// about is a number of bytes in the unit that gives it one to four digits before
// the point.
func about(bytes int64) string {
	n, unit := float64(bytes), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if n < 1024 {
			break
		}
		n, unit = n/1024, next
	}
	if unit == "B" {
		return strconv.FormatInt(bytes, 10) + unit
	}
	return fmt.Sprintf("%.1f%s", n, unit)
}

// grouped is a number with commas between thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
