//go:build linux

package soak

import (
	"fmt"
	"strings"
)

// What the steady origin has. A key's number says what kind of page it is.
const (
	pages     = 3_000
	largeKeys = 24
	largeSize = 1 << 20
	moodyKeys = 300
)

// kind is how a page may be reused.
type kind int

const (
	plain     kind = iota // fresh for long
	varied                // one for each tongue
	validated             // stored, to be asked about every time
	private               // for one client
	brief                 // fresh for a second
)

func kindOf(key int) kind { return kind(key % 5) }

var tongues = []string{"de", "en", "fr", "it"}

// page is the content of a key: lines that name it, so that no other can pass for it.
func page(key int, version int64, tongue string) string {
	if kindOf(key) != varied {
		tongue = "-"
	}
	return lines(fmt.Sprintf("page %d %d %s", key, version, tongue), 100<<(key%10))
}

func large(key int) string { return lines(fmt.Sprintf("large %d", key), largeSize) }
func mood(key int) string  { return lines(fmt.Sprintf("mood %d", key), 100<<(key%8)) }

func lines(name string, size int) string {
	return strings.Repeat(name+"\n", size/(len(name)+1)+1)
}
