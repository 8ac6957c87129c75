package proxytest

import (
	"fmt"
	"strconv"
	"strings"
)

// facts are what can be said of something: the values of a name, none if it is
// absent.
type facts func(name string) []string

// check holds assertions ("name = text", "no name") against facts.
func check(cols []string, f facts) error {
	for _, col := range cols {
		if err := checkOne(col, f); err != nil {
			return err
		}
	}
	return nil
}

func checkOne(col string, f facts) error {
	if name, ok := strings.CutPrefix(col, "no "); ok {
		if got := f(name); got != nil {
			return fmt.Errorf("expected no %s, got %q", name, strings.Join(got, ", "))
		}
		return nil
	}
	if !strings.Contains(col, " ") && !strings.Contains(col, ":") {
		if f(col) == nil {
			return fmt.Errorf("expected %s, got none", col)
		}
		return nil
	}
	name, op, want, ok := assertion(col)
	if !ok {
		return fmt.Errorf("cannot understand %q; want one of: name = text, name != text, name ~ part, name !~ part, name, no name", col)
	}
	values := f(name)
	got := strings.Join(values, ", ")
	if name == "bytes" {
		var err error
		if want, err = filled(want); err != nil {
			return err
		}
	}
	holds := map[string]bool{
		"=": got == want, "!=": got != want,
		"~": strings.Contains(got, want), "!~": !strings.Contains(got, want),
	}[op]
	if values == nil && op != "!=" && op != "!~" {
		return fmt.Errorf("expected %s %s %q, got none", name, op, short(want))
	}
	if !holds {
		return fmt.Errorf("expected %s %s %q, got %q", name, op, short(want), short(got))
	}
	return nil
}

// assertion splits "name op text". The text may be empty.
func assertion(col string) (name, op, want string, ok bool) {
	name, rest, ok := strings.Cut(col, " ")
	if !ok {
		return "", "", "", false
	}
	op, want, _ = strings.Cut(rest, " ")
	switch op {
	case "=", "!=", "~", "!~":
		return name, op, want, true
	}
	return "", "", "", false
}

// filled returns the content that "bytes = 5000" or "bytes = 10-19" means.
func filled(span string) (string, error) {
	a, z, isSpan := strings.Cut(span, "-")
	first, err := strconv.ParseInt(a, 10, 64)
	if err != nil {
		return "", fmt.Errorf("bytes %q: want a number or first-last", span)
	}
	if !isSpan {
		return string(fill(0, first)), nil
	}
	last, err := strconv.ParseInt(z, 10, 64)
	if err != nil || last < first {
		return "", fmt.Errorf("bytes %q: want a number or first-last", span)
	}
	return string(fill(first, last-first+1)), nil
}

// short keeps messages readable when a body is large.
func short(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:most], len(s))
}
