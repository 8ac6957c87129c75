package config

import (
	"fmt"
	"reflect"
	"strings"
)

// unknownKey is the message for a key that the block of type t at path does not
// have: the closest key there, else the same key in another block, else all keys.
func unknownKey(path, key string, t reflect.Type) string {
	var known []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" {
			known = append(known, name)
		}
	}
	at := join(path, key)
	if near := closest(key, known); near != "" {
		return fmt.Sprintf("%s: unknown key; did you mean %s?", at, near)
	}
	for _, k := range keys {
		if k.path == key || strings.HasSuffix(k.path, "."+key) {
			return fmt.Sprintf("%s: unknown key; did you mean %s?", at, k.path)
		}
	}
	return fmt.Sprintf("%s: unknown key; known here: %s", at, strings.Join(known, ", "))
}

// closest returns the word that a typing error may have turned into s: about a
// third of its letters wrong at most. It is empty when there is none.
func closest(s string, words []string) string {
	best, least := "", max(1, len(s)/3)+1
	for _, w := range words {
		if n := editDistance(strings.ToLower(s), w); n < least {
			best, least = w, n
		}
	}
	return best
}

// editDistance counts inserted, deleted, replaced and swapped neighbouring bytes
// (optimal string alignment).
func editDistance(a, b string) int {
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(b)]
}
