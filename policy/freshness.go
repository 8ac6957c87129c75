package policy

import (
	"strings"
	"time"
)

// Source says where a freshness lifetime came from.
type Source uint8

// The sources, in order of precedence (RFC 9111, 4.2.1; RFC 9213, 2.2).
const (
	SourceNone      Source = iota // nothing gives a lifetime
	SourceRule                    // a rule of the configuration overrides
	SourceTargeted                // a targeted field
	SourceSMaxAge                 // s-maxage
	SourceMaxAge                  // max-age
	SourceExpires                 // Expires
	SourceStatusTTL               // configured for the status
	SourceHeuristic               // heuristic
	SourceInvalid                 // a directive that is invalid, which counts as stale (RFC 9111, 4.2.1)
	SourcePurge                   // a soft purge ended it, whatever gave it
)

func (s Source) String() string {
	return [...]string{"none", "rule", "targeted", "s-maxage", "max-age", "expires", "status-ttl", "heuristic", "invalid", "purge"}[s]
}

// explicit reports whether the origin gave the lifetime.
func (s Source) explicit() bool { return s >= SourceTargeted && s <= SourceExpires }

// governing returns the directives that govern a response: those of the first
// valid targeted field, of which it returns the name, otherwise of Cache-Control.
func governing(f Fields, r *Rules) (d ResponseDirectives, field string) {
	if d, field = targeted(f, r.Targeted); field != "" {
		return d, field
	}
	lines := values(f, "Cache-Control")
	d = ParseResponseDirectives(lines)
	if len(lines) == 0 {
		// RFC 9111, 5.4, gives Pragma in responses no meaning. Who sends it means
		// this, and to ask the origin is never wrong.
		d.NoCache = strings.EqualFold(first(values(f, "Pragma")), "no-cache")
	}
	return d, ""
}

// lifetime computes the freshness lifetime of a response and its source.
func lifetime(rs *Response, d *ResponseDirectives, isTargeted bool, date time.Time, r *Rules) (time.Duration, Source) {
	if r.HasTTL {
		return min(r.TTL, forever), SourceRule
	}
	switch life, source := explicitLifetime(rs, d, isTargeted, date); source {
	case SourceNone:
	case SourceInvalid:
		return 0, source
	default:
		return clamp(life, r), source
	}
	if ttl, ok := r.StatusTTL[rs.Status]; ok {
		return min(ttl, forever), SourceStatusTTL
	}
	if mayUseHeuristic(rs.Status, d, r) {
		if life, ok := heuristic(rs, date, r); ok {
			return clamp(life, r), SourceHeuristic
		}
	}
	return 0, SourceNone
}

// explicitLifetime is RFC 9111, 4.2.1, in its order.
func explicitLifetime(rs *Response, d *ResponseDirectives, isTargeted bool, date time.Time) (time.Duration, Source) {
	if d.SMaxAge.present {
		return d.SMaxAge.lifetime(isTargeted, SourceSMaxAge)
	}
	if d.MaxAge.present {
		return d.MaxAge.lifetime(isTargeted, SourceMaxAge)
	}
	if isTargeted { // RFC 9213, 2.2: Expires is ignored
		return 0, SourceNone
	}
	if t, present, ok := fieldTime(rs.Fields, "Expires"); present {
		if !ok { // RFC 9111, 5.3: an invalid date is in the past
			return 0, SourceExpires
		}
		return min(max(0, t.Sub(date)), forever), SourceExpires
	}
	return 0, SourceNone
}

func (d *lifetimeDirective) lifetime(isTargeted bool, s Source) (time.Duration, Source) {
	switch {
	case d.invalid:
		return 0, SourceInvalid
	case isTargeted:
		return d.value, SourceTargeted
	}
	return d.value, s
}

func clamp(life time.Duration, r *Rules) time.Duration {
	life = max(life, r.MinTTL)
	if r.MaxTTL > 0 {
		life = min(life, r.MaxTTL)
	}
	return life
}

// mayUseHeuristic: RFC 9111, 4.2.2: only for heuristically cacheable statuses
// and for responses marked as explicitly cacheable.
func mayUseHeuristic(status int, d *ResponseDirectives, r *Rules) bool {
	rule := r.Statuses.Rule(status)
	return rule == Heuristic || rule == Explicit && d.Public
}

// heuristic is a fraction of the time since the last modification (RFC 9111, 4.2.2).
func heuristic(rs *Response, date time.Time, r *Rules) (time.Duration, bool) {
	modified, _, ok := fieldTime(rs.Fields, "Last-Modified")
	if !ok || !modified.Before(date) {
		return 0, false
	}
	life := time.Duration(float64(date.Sub(modified)) * r.HeuristicFraction)
	return min(life, r.HeuristicMax), true
}

// responseDate returns the Date of a response, or the time of its receipt
// (RFC 9110, 6.6.1).
func responseDate(f Fields, received time.Time) time.Time {
	if t, _, ok := fieldTime(f, "Date"); ok {
		return t
	}
	return received
}

// initialAge is corrected_initial_age (RFC 9111, 4.2.3). Dates have whole
// seconds, so the receipt is cut to seconds for the comparison. It is bounded:
// a Date of long ago must not overflow into a negative age.
func initialAge(f Fields, date time.Time, t Times) time.Duration {
	apparent, delay := ageParts(date, t)
	return min(max(apparent, ageField(f)+delay), forever)
}

// ageParts are apparent_age and response_delay (RFC 9111, 4.2.3).
func ageParts(date time.Time, t Times) (apparent, delay time.Duration) {
	apparent = max(0, t.Received.Truncate(time.Second).Sub(date))
	return apparent, min(max(0, t.Received.Sub(t.Requested)), forever)
}

// ageField parses Age: the first member counts, an invalid one is ignored
// (RFC 9111, 5.1).
func ageField(f Fields) time.Duration {
	var age time.Duration
	members(values(f, "Age"), func(m string) bool {
		if seconds, ok := deltaSeconds(m); ok {
			age = time.Duration(seconds) * time.Second
		}
		return false
	})
	return age
}
