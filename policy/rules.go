package policy

import "time"

// StatusRule says when a response with some status may be stored.
type StatusRule uint8

// The status rules.
const (
	Never     StatusRule = iota // not at all, whatever the origin says
	Explicit                    // with a freshness lifetime or public (RFC 9111, 3)
	Heuristic                   // also with heuristic freshness (RFC 9111, 4.2.2)
)

func (r StatusRule) String() string { return [...]string{"never", "explicit", "heuristic"}[r] }

// StatusTable holds a rule for every status; it is indexed by the status.
type StatusTable [600]StatusRule

// DefaultStatuses is the table of the default profile: narrower than RFC 9111
// allows, which is conformant since storing is optional (section 3).
func DefaultStatuses() StatusTable {
	var t StatusTable
	for _, s := range []int{200, 203, 204, 206, 300, 301, 404, 410} {
		t[s] = Heuristic
	}
	for _, s := range []int{302, 307, 308} {
		t[s] = Explicit
	}
	return t
}

// RFC9111Statuses is the table of profile rfc9111: every final status with
// explicit freshness, and the heuristically cacheable ones of RFC 9110, 15.1.
// Never: 304; 412 and 416, which answer a condition or a Range and not the URL;
// 226, which answers A-IM (RFC 3229); those that RFC 6585, 3 to 6 forbids.
func RFC9111Statuses() StatusTable {
	var t StatusTable
	for s := 200; s < 600; s++ {
		t[s] = Explicit
	}
	for _, s := range []int{200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501} {
		t[s] = Heuristic
	}
	for _, s := range []int{226, 304, 412, 416, 428, 429, 431, 511} {
		t[s] = Never
	}
	return t
}

// Rule returns the rule for a status; statuses outside 200 to 599 are never stored.
func (t *StatusTable) Rule(status int) StatusRule {
	if status < 200 || status >= len(t) {
		return Never
	}
	return t[status]
}

// CookieRule says what becomes of responses with Set-Cookie.
type CookieRule uint8

// The cookie rules.
const (
	RefuseCookie CookieRule = iota // such responses are not stored
	StripCookie                    // the field is removed from the response
	KeepCookie                     // stored and replayed with its cookie (RFC 9111, 7.3 warns)
)

func (c CookieRule) String() string { return [...]string{"refuse", "strip", "keep"}[c] }

// Rules are the choices that the RFC leaves to a cache, for one route.
type Rules struct {
	Bypass    bool // neither look up nor store
	Statuses  StatusTable
	StatusTTL map[int]time.Duration // lifetime by status when the origin says nothing
	SetCookie CookieRule
	TypeGuard bool // what looks like a static file and is none is not stored; see Contradicts

	TTL    time.Duration // overrides every lifetime when HasTTL
	HasTTL bool
	MinTTL time.Duration // clamps on a lifetime that the origin gave
	MaxTTL time.Duration // 0 = none

	Targeted []string // RFC 9213 target list, in order of precedence

	HeuristicFraction float64       // of Date - Last-Modified (RFC 9111, 4.2.2)
	HeuristicMax      time.Duration // upper bound of a heuristic lifetime

	GraceRevalidate time.Duration // stale-while-revalidate when the origin does not say
	GraceError      time.Duration // stale-if-error when the origin does not say

	TagFields []TagField // that name tags to purge by
	KeepTags  bool       // they are passed on to clients

	IgnoreClient bool // the client's wishes for a newer or unstored response are ignored
}

// DefaultRules are the rules of the default profile without any configuration.
func DefaultRules() Rules {
	return Rules{
		Statuses:          DefaultStatuses(),
		Targeted:          []string{"Cdn-Cache-Control"},
		HeuristicFraction: 0.1,
		HeuristicMax:      24 * time.Hour,
		GraceError:        time.Hour,
		TagFields:         DefaultTagFields(),
	}
}

// RFC9111Rules are the rules of profile rfc9111: what the RFCs allow a shared
// cache to store and reuse is stored and reused.
func RFC9111Rules() Rules {
	r := DefaultRules()
	r.Statuses = RFC9111Statuses()
	r.SetCookie = KeepCookie
	return r
}
