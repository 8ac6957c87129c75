package policy

import (
	"net/http"
	"strings"
	"time"
)

// Admit judges whether a response may be stored. It returns what is to be
// remembered of it, or nil and the reason why not.
//
// Three gates, each with its own reasons: what the RFC forbids, what the status
// table forbids, and whether the response could ever be used.
func Admit(rq *Request, rs *Response, t Times, r *Rules) (*Stored, Reason) {
	d, field := governing(rs.Fields, r)
	isTargeted, trace := field != "", rq.Trace
	trace.governs(rs.Fields, r, field, &d)
	if why := trace.gate("rfc", rfcGate(rq, rs, &d, isTargeted)); why != ReasonNone {
		return nil, why
	}
	date := responseDate(rs.Fields, t.Received)
	life, source := lifetime(rs, &d, isTargeted, date, r)
	trace.lifetime(rs, &d, field, date, r, life, source)
	trace.status(rs.Status, r)
	if why := trace.gate("status", statusGate(rs, &d, source, r)); why != ReasonNone {
		return nil, why
	}
	if why := trace.gate("set-cookie", cookieGate(rs, &d, r)); why != ReasonNone {
		return nil, why
	}
	if why := trace.gate("type", typeGate(rq, rs, r)); why != ReasonNone {
		return nil, why
	}
	tags, complete := packTags(rs.Fields, r)
	if !complete {
		return nil, trace.gate("tags", TooManyTags)
	}
	names, star := varyNames(values(rs.Fields, "Vary"))
	if star {
		return nil, trace.gate("vary", VaryStar)
	}
	s := &Stored{
		Method: rq.Method, Status: rs.Status,
		Times: t, Date: date, InitialAge: initialAge(rs.Fields, date, t),
		Lifetime: life, Source: source,
		NoCache: d.NoCache, Immutable: d.Immutable,
		ETag: strings.Clone(etag(rs.Fields)), // what is kept must not keep the whole head with it
		Vary: names, VaryValues: VaryValues(names, rq.Fields),
		ContentLanguage: strings.Clone(singleLanguage(rs.Fields)), Tags: tags,
	}
	if source == SourceRule || source == SourceStatusTTL {
		s.Lifetime += s.InitialAge // an operator's lifetime begins with the receipt
	}
	if lm, _, ok := fieldTime(rs.Fields, "Last-Modified"); ok {
		s.LastModified = lm
	}
	s.setStale(&d, r)
	trace.admitted(rs.Fields, s)
	if rs.Status == http.StatusPartialContent {
		partial, ok := newPartial(rq, rs.Fields)
		if !ok || rq.Method != http.MethodGet {
			return nil, trace.gate("part", PartialUnusable)
		}
		s.Partial = partial
	}
	if rq.Method == http.MethodPost {
		s.Method = http.MethodGet // it answers GET requests from now on
	}
	if why := trace.gate("use", s.useGate(life, &d)); why != ReasonNone {
		return nil, why
	}
	trace.Note(StepAdmitted)
	return s, ReasonNone
}

// rfcGate is RFC 9111, 3, condition by condition.
func rfcGate(rq *Request, rs *Response, d *ResponseDirectives, isTargeted bool) Reason {
	// The request method is understood by the cache.
	switch rq.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if rs.Status > 299 || !explicitlyFresh(rs, d, isTargeted) || !rs.LocatesTarget {
			return ContentLocation
		}
	default:
		return MethodNotStored
	}
	// The status is final, and understood where that is required.
	if rs.Status < 200 || rs.Status == http.StatusNotModified {
		return StatusNever
	}
	if d.MustUnderstand && !understood(rs.Status) {
		return NotUnderstood
	}
	// no-store is absent, or made void by must-understand (5.2.2.3).
	if d.NoStore && !d.MustUnderstand {
		return NoStore
	}
	if rq.Directives.NoStore {
		return RequestNoStore
	}
	// The cache is shared.
	if d.Private {
		return Private
	}
	// 3.5: three permissions for answers to requests with credentials.
	if rq.Authorized && !d.Public && !d.MustRevalidate && !d.SMaxAge.valid() {
		return Authorization
	}
	return ReasonNone
}

func explicitlyFresh(rs *Response, d *ResponseDirectives, isTargeted bool) bool {
	return d.SMaxAge.valid() || d.MaxAge.valid() || !isTargeted && len(values(rs.Fields, "Expires")) > 0
}

// statusGate applies the status table.
func statusGate(rs *Response, d *ResponseDirectives, source Source, r *Rules) Reason {
	switch r.Statuses.Rule(rs.Status) {
	case Never:
		return StatusNever
	case Explicit:
		if !source.explicit() && source != SourceRule && source != SourceStatusTTL && !d.Public {
			return StatusNeedsExplicit
		}
	}
	return ReasonNone
}

// cookieGate applies the rule for Set-Cookie. A cookie that the origin itself
// excludes from storing (private="Set-Cookie") is no obstacle.
func cookieGate(rs *Response, d *ResponseDirectives, r *Rules) Reason {
	if r.SetCookie != RefuseCookie || len(values(rs.Fields, "Set-Cookie")) == 0 {
		return ReasonNone
	}
	for _, list := range [][]string{d.PrivateFields, d.NoCacheFields} {
		for _, name := range list {
			if strings.EqualFold(name, "Set-Cookie") {
				return ReasonNone
			}
		}
	}
	return SetCookie
}

// setStale fills in when the response may be used stale (RFC 9111, 4.2.4: not
// with must-revalidate, proxy-revalidate, s-maxage or no-cache).
func (s *Stored) setStale(d *ResponseDirectives, r *Rules) {
	s.MustRevalidate = d.MustRevalidate || d.ProxyRevalidate || d.SMaxAge.present || d.NoCache
	if s.MustRevalidate {
		return
	}
	s.StaleWhileRevalidate, s.StaleIfError = min(r.GraceRevalidate, forever), min(r.GraceError, forever)
	if d.StaleWhileRevalidate.present {
		s.StaleWhileRevalidate = d.StaleWhileRevalidate.value
	}
	if d.StaleIfError.present {
		s.StaleIfError = d.StaleIfError.value
	}
}

// useGate refuses what would neither be fresh for a moment, nor could be validated.
func (s *Stored) useGate(life time.Duration, d *ResponseDirectives) Reason {
	if life <= 0 && !s.Validator() && !s.originWindow(d) {
		return NoFreshness
	}
	return ReasonNone
}

// originWindow reports whether the origin lets the response be used stale, so
// that it is of use even without a lifetime ("max-age=0, stale-while-revalidate=60").
func (s *Stored) originWindow(d *ResponseDirectives) bool {
	return !s.MustRevalidate && (d.StaleWhileRevalidate.value > 0 || d.StaleIfError.value > 0)
}

// etag returns a single, well-formed entity tag; any other is of no use as a
// validator (RFC 9110, 8.8.3).
func etag(f Fields) string {
	lines := values(f, "Etag")
	if len(lines) != 1 {
		return ""
	}
	tag := trim(lines[0])
	opaque := strings.TrimPrefix(tag, "W/")
	if len(opaque) < 2 || opaque[0] != '"' || strings.IndexByte(opaque[1:], '"') != len(opaque)-2 {
		return ""
	}
	return tag
}

func singleLanguage(f Fields) string {
	lines := values(f, "Content-Language")
	if len(lines) != 1 || strings.ContainsAny(lines[0], ", \t") {
		return ""
	}
	return lines[0]
}

// understood reports whether the caching rules of a status are known to this
// cache (RFC 9111, 3 and 5.2.2.3): the registered ones. Those of them that need
// more than RFC 9111 are not in the status tables.
func understood(status int) bool { return http.StatusText(status) != "" }
