package policy

import "time"

// DirectiveFacts is what a response says in Cache-Control, for those who report on
// it. A lifetime that is not valid counts as 0.
type DirectiveFacts struct {
	NoStore, NoCache, Private, Public, Immutable bool
	HasMaxAge, HasSMaxAge                        bool
	MaxAge, SMaxAge                              time.Duration
	Targeted                                     bool // CDN-Cache-Control is there, too (RFC 9213)
}

// Facts returns what a response says in Cache-Control.
func Facts(f Fields) DirectiveFacts {
	d := ParseResponseDirectives(values(f, "Cache-Control"))
	return DirectiveFacts{
		NoStore: d.NoStore, NoCache: d.NoCache || len(d.NoCacheFields) > 0, Private: d.Private, Public: d.Public, Immutable: d.Immutable,
		HasMaxAge: d.MaxAge.present, MaxAge: d.MaxAge.value, HasSMaxAge: d.SMaxAge.present, SMaxAge: d.SMaxAge.value,
		Targeted: len(values(f, "Cdn-Cache-Control")) > 0,
	}
}

// ParseDate parses an HTTP date (RFC 9110, 5.6.7).
func ParseDate(s string) (time.Time, bool) { return parseDate(s) }

// AgeOf returns the Age of a response, 0 without a valid one (RFC 9111, 5.1).
func AgeOf(f Fields) time.Duration { return ageField(f) }

// VaryNames returns the canonical names in Vary, sorted, and whether it holds a star
// or what is no name of a field (RFC 9110, 12.5.5).
func VaryNames(f Fields) (names []string, star bool) { return varyNames(values(f, "Vary")) }
