package policy

import (
	"net/http"
	"time"
)

// Fields gives the lines of a header field by name; http.Header is one.
type Fields interface {
	Values(name string) []string
}

// values returns the lines of a field whose name is canonical.
func values(f Fields, name string) []string {
	if h, ok := f.(http.Header); ok {
		return h[name]
	}
	return f.Values(name)
}

// Request is what a judgement needs to know of a request, parsed once.
type Request struct {
	Method     string
	Fields     Fields // for Vary and for conditions
	Directives RequestDirectives
	Authorized bool   // it carries credentials
	Range      string // the Range field, only of a GET

	Path    string // decoded and cleaned, as rules match it; empty = not known
	Body    bool   // it has content
	Upgrade bool   // it asks for another protocol
	Dots    bool   // its path has dot segments, encoded or not

	Trace *Trace // records what is decided about it; nil = nobody wants to know
}

// NewRequest reads the facts of a request.
func NewRequest(method string, f Fields) *Request {
	r := new(Request)
	r.Read(method, f)
	return r
}

// Read reads the facts of a request in place of those of an earlier one.
func (r *Request) Read(method string, f Fields) {
	*r = Request{Method: method, Fields: f}
	if cc, pragma := values(f, "Cache-Control"), values(f, "Pragma"); len(cc) > 0 || len(pragma) > 0 {
		r.Directives = ParseRequestDirectives(cc, pragma)
	}
	r.Authorized = len(values(f, "Authorization")) > 0
	if method == http.MethodGet { // RFC 9110, 14.2: Range is defined for GET only
		r.Range = first(values(f, "Range"))
	}
}

// Response is what an admission needs to know of a response.
type Response struct {
	Status int
	Fields Fields

	// LocatesTarget is set when Content-Location names the URL that was asked
	// for, which makes the answer to a POST one for a GET (RFC 9110, 9.3.3).
	LocatesTarget bool
}

// Times are the two moments of an exchange with the origin (RFC 9111, 4.2.3).
type Times struct {
	Requested time.Time // the request was sent
	Received  time.Time // the response head arrived
}

// Stored is everything that later judgements need to know of a stored
// response; it is computed once, by [Admit]. It is immutable.
type Stored struct {
	Method string // GET or HEAD; a HEAD cannot answer a GET
	Status int

	Times
	Date       time.Time     // the Date field, or the time of receipt
	InitialAge time.Duration // corrected_initial_age, at Received
	Lifetime   time.Duration // freshness lifetime
	Source     Source        // where the lifetime came from

	NoCache              bool          // every use must be validated
	MustRevalidate       bool          // it may never be used stale
	Immutable            bool          // RFC 8246
	StaleWhileRevalidate time.Duration // how long after its lifetime
	StaleIfError         time.Duration // how long after its lifetime

	ETag            string
	LastModified    time.Time // zero without
	Vary            []string  // canonical names, sorted
	VaryValues      []string  // normalised values of the request it answered
	ContentLanguage string    // the only language, or empty
	Tags            string    // tags and groups, a line each; see [Stored.EachTag]

	// Partial is set for a 206: what is held of the representation.
	Partial *Partial
}

// Age returns the current age (RFC 9111, 4.2.3); never negative.
func (s *Stored) Age(now time.Time) time.Duration {
	return max(0, s.InitialAge+now.Sub(s.Received))
}

// Validator reports whether the response can be validated with the origin.
func (s *Stored) Validator() bool { return s.ETag != "" || !s.LastModified.IsZero() }

// KeepFor returns how long after its receipt the response may be of use, which
// is how long the store needs to keep it: a response with a validator is kept
// for some time beyond its freshness and stale windows.
func (s *Stored) KeepFor() time.Duration {
	const forValidation = 24 * time.Hour
	keep := max(0, s.Lifetime-s.InitialAge) + max(s.StaleWhileRevalidate, s.StaleIfError)
	if s.Validator() {
		keep += forValidation
	}
	return max(keep, time.Second)
}

func first(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// fieldTime parses a field that holds a date; ok is false when it is absent,
// invalid, or has several differing lines.
func fieldTime(f Fields, name string) (t time.Time, present, ok bool) {
	lines := values(f, name)
	if len(lines) == 0 {
		return time.Time{}, false, false
	}
	for _, line := range lines[1:] {
		if line != lines[0] {
			return time.Time{}, true, false
		}
	}
	t, ok = parseDate(lines[0])
	return t, true, ok
}

// Describe reads what conditions and ranges need to know of a response that is
// not stored.
func Describe(status int, f Fields) *Stored {
	s := &Stored{Method: http.MethodGet, Status: status, ETag: etag(f)}
	s.LastModified, _, _ = fieldTime(f, "Last-Modified")
	s.Date, _, _ = fieldTime(f, "Date")
	return s
}
