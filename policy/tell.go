package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// String spells the directives as they were understood; "none" without any.
func (d *ResponseDirectives) String() string {
	var all []string
	for _, flag := range []struct {
		set    bool
		name   string
		fields []string
	}{
		{d.NoStore, "no-store", nil}, {d.Private, "private", d.PrivateFields}, {d.NoCache, "no-cache", d.NoCacheFields},
		{d.Public, "public", nil}, {d.MustRevalidate, "must-revalidate", nil}, {d.ProxyRevalidate, "proxy-revalidate", nil},
		{d.MustUnderstand, "must-understand", nil}, {d.Immutable, "immutable", nil},
	} {
		if flag.set {
			all = append(all, flag.name)
		}
		if len(flag.fields) > 0 {
			all = append(all, flag.name+`="`+strings.Join(flag.fields, ", ")+`"`)
		}
	}
	return listed(append(all, spelled(
		namedNumber{"max-age", &d.MaxAge}, namedNumber{"s-maxage", &d.SMaxAge},
		namedNumber{"stale-while-revalidate", &d.StaleWhileRevalidate}, namedNumber{"stale-if-error", &d.StaleIfError})...))
}

// String spells the client's wishes as they were understood; "none" without any.
func (d *RequestDirectives) String() string {
	var all []string
	for _, flag := range []struct {
		set  bool
		name string
	}{{d.NoCache, "no-cache"}, {d.NoStore, "no-store"}, {d.OnlyIfCached, "only-if-cached"}} {
		if flag.set {
			all = append(all, flag.name)
		}
	}
	return listed(append(all, spelled(
		namedNumber{"max-age", &d.MaxAge}, namedNumber{"min-fresh", &d.MinFresh},
		namedNumber{"max-stale", &d.MaxStale}, namedNumber{"stale-if-error", &d.StaleIfError})...))
}

type namedNumber struct {
	name string
	d    *lifetimeDirective
}

func spelled(list ...namedNumber) (all []string) {
	for _, n := range list {
		switch {
		case !n.d.present:
		case n.d.invalid:
			all = append(all, n.name+" (invalid)")
		case n.d.value == anyAge:
			all = append(all, n.name)
		default:
			all = append(all, n.name+"="+strconv.FormatInt(int64(n.d.value/time.Second), 10))
		}
	}
	return all
}

func listed(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// Secret reports whether the values of a field are nobody's business but the
// client's, as its name tells: they are not shown to operators.
func Secret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"cookie", "auth", "token", "secret", "session", "api-key", "apikey", "password"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}

// NotShown stands for the value of a field that is a secret.
const NotShown = "a value that is not shown"

// Shown is a normalised value of Vary, see [VaryValues], for people.
func Shown(field, value string) string {
	switch {
	case value == absent:
		return "absent"
	case Secret(field):
		return NotShown
	case value == "":
		return "empty"
	}
	return "\"" + strings.Trim(value, "\x00") + "\""
}

// quantity is a number of things.
func quantity(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// seconds10 is a duration as a directive has it.
func seconds10(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

func listedOr(all []string, none string) string {
	if len(all) == 0 {
		return none
	}
	return strings.Join(all, " and ")
}
