package main

import (
	"fmt"
	"strings"
)

// markdown renders a table whose first column is text and whose others are
// numbers.
func markdown(head []string, lines [][]string) string {
	var b strings.Builder
	row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row(head)
	b.WriteString("|---" + strings.Repeat("|--:", len(head)-1) + "|\n")
	for _, l := range lines {
		row(l)
	}
	return b.String()
}
