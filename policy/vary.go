package policy

import (
	"net/http"
	"slices"
	"strings"
)

// varyNames returns the canonical names of Vary, sorted and without
// repetition, and whether it holds a star (RFC 9110, 12.5.5). A member that is
// no field name could mean any field, and counts as a star.
func varyNames(lines []string) (names []string, star bool) {
	members(lines, func(m string) bool {
		if m == "*" || !isToken(m) {
			star = true
		}
		names = append(names, strings.Clone(http.CanonicalHeaderKey(m)))
		return true
	})
	slices.Sort(names)
	return slices.Compact(names), star
}

// VaryValues returns the normalised values of the nominated fields of a
// request, one for each name. Two requests with equal values select the same
// response (RFC 9111, 4.1).
func VaryValues(names []string, f Fields) []string {
	if len(names) == 0 {
		return nil
	}
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = normalise(name, f)
	}
	return values
}

// Matches reports whether a request selects a stored response (RFC 9111, 4.1).
func (s *Stored) Matches(f Fields) bool { return s.differs(f) < 0 }

// differs returns the index of the first nominated field by which a request does
// not select a stored response, -1 for none.
func (s *Stored) differs(f Fields) int {
	var room [256]byte
	for i, name := range s.Vary {
		if string(appendNormal(room[:0], name, f)) == s.VaryValues[i] {
			continue
		}
		if name == "Accept-Language" && s.ContentLanguage != "" &&
			prefersLanguage(values(f, "Accept-Language"), s.ContentLanguage) {
			continue
		}
		return i
	}
	return -1
}

// SameVariant reports whether two stored responses were selected by the same
// request header fields, so that the newer one replaces the older.
func SameVariant(a, b *Stored) bool {
	return slices.Equal(a.Vary, b.Vary) && slices.Equal(a.VaryValues, b.VaryValues)
}

// absent is the normalised value of a field that is not there; no field value
// can hold a NUL.
const absent = "\x00"

// normalise brings a field into a form in which requests that mean the same
// are equal (RFC 9111, 4.1): lines are combined, white space around members is
// dropped, and for fields whose grammar is known, case and order too.
func normalise(name string, f Fields) string {
	return string(appendNormal(nil, name, f))
}

// appendNormal appends what normalise returns.
func appendNormal(dst []byte, name string, f Fields) []byte {
	lines := values(f, name)
	if len(lines) == 0 {
		return append(dst, absent...)
	}
	switch name {
	case "Accept-Encoding":
		return appendPreferences(dst, lines, encodingAlias)
	case "Accept-Language":
		return appendPreferences(dst, lines, strings.ToLower)
	}
	for i, line := range lines {
		if i > 0 {
			dst = append(dst, ',')
		}
		for rest := line; ; {
			end := memberEnd(rest)
			dst = append(dst, trim(rest[:end])...) // an empty member too: it may mean something
			if end == len(rest) {
				break
			}
			dst = append(dst, ',')
			rest = rest[end+1:]
		}
	}
	return dst
}

// encodingAlias lower-cases a content coding; x-gzip and x-compress are other
// names of the same codings (RFC 9110, 8.4.1).
func encodingAlias(s string) string {
	s = strings.ToLower(s)
	if s == "x-gzip" || s == "x-compress" {
		return s[2:]
	}
	return s
}

// preference is a member of Accept-Encoding or Accept-Language.
type preference struct {
	value  string
	weight int // thousandths
}

// preferences appends the members with their weights to all (RFC 9110, 12.4.2).
// A value or weight that cannot be parsed makes the whole field unusable.
func preferences(all []preference, lines []string, fold func(string) string) (_ []preference, ok bool) {
	ok = true
	members(lines, func(m string) bool {
		value, param, has := strings.Cut(m, ";")
		p := preference{value: fold(trim(value)), weight: 1000}
		ok = isToken(p.value)
		if has && ok {
			p.weight, ok = weight(trim(param))
		}
		all = append(all, p)
		return ok
	})
	return all, ok
}

// weight parses "q=0.5": at most three decimals, from 0 to 1 (RFC 9110, 12.4.2).
func weight(s string) (int, bool) {
	if len(s) < 3 || s[0] != 'q' && s[0] != 'Q' || s[1] != '=' || len(s) > len("q=0.123") {
		return 0, false
	}
	s = s[2:]
	if s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	w, unit := int(s[0]-'0')*1000, 100
	for i := 2; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		w += int(s[i]-'0') * unit
		unit /= 10
	}
	return w, w <= 1000
}

// appendPreferences writes the members sorted, without the weight of 1. Their
// order has no meaning (RFC 9110, 12.5.3 and 12.5.4).
func appendPreferences(dst []byte, lines []string, fold func(string) string) []byte {
	var room [16]preference
	all, ok := preferences(room[:0], lines, fold)
	if !ok { // not its grammar: only the exact same text is the same
		dst = append(dst, 0)
		for i, line := range lines {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, line...)
		}
		return dst
	}
	slices.SortFunc(all, func(a, b preference) int {
		if c := strings.Compare(a.value, b.value); c != 0 {
			return c
		}
		return b.weight - a.weight
	})
	for i, p := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, p.value...)
		if p.weight != 1000 {
			dst = append(dst, ';', byte('0'+p.weight/100), byte('0'+p.weight/10%10), byte('0'+p.weight%10))
		}
	}
	return dst
}

// prefersLanguage reports whether one language is what the client wants most,
// with no other that it wants as much: then no other response could suit it
// better than the stored one in that language.
func prefersLanguage(lines []string, language string) bool {
	all, ok := preferences(nil, lines, strings.ToLower)
	if !ok {
		return false
	}
	best, second := preference{weight: -1}, -1
	for _, p := range all {
		if p.weight > best.weight {
			best, second = p, best.weight
		} else {
			second = max(second, p.weight)
		}
	}
	return best.weight > 0 && best.weight > second && best.value == strings.ToLower(language)
}

// FieldOf returns a line of a field whose normalised value is one of
// Stored.VaryValues; false when a request selects the response only without the field.
func FieldOf(normalised string) (line string, present bool) {
	if normalised == absent {
		return "", false
	}
	return strings.TrimPrefix(normalised, absent), true // that marks what is not of its grammar
}
