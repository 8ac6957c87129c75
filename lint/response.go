package lint

import (
	"strings"
	"time"

	"cacheproxy/policy"
)

// Response is a response of an origin, before anything is changed in it.
type Response struct {
	Route  string // its name
	Target string // the server that answered: host and port
	Host   string // of the request
	Path   string // decoded
	Query  string // as it is part of the key
	Method string // only answers to GET and HEAD are looked at

	Status   int
	Fields   policy.Fields // of the response
	Request  policy.Fields // of the request
	Empty    bool          // it is known to have no content
	Received time.Time
}

// url is an example for people.
func (r *Response) url() string {
	u := r.Host + r.Path
	if r.Query != "" {
		u += "?" + r.Query
	}
	return clip(u)
}

// Bounds of the texts that are kept, in bytes.
const (
	mostText = 200
	mostName = 64 // of fields and parameters whose values are counted
)

// short cuts a text to what is kept of it.
func short(s string, most int) string { return s[:min(len(s), most)] }

// clip is short for a text that is part of something larger.
func clip(s string) string { return strings.Clone(short(s, mostText)) }

// Kind names what was found.
type Kind string

// The kinds.
const (
	Contradiction  Kind = "contradiction"
	Invalid        Kind = "invalid-directive"
	ExpiresPast    Kind = "expires-before-date"
	VaryStar       Kind = "vary-star"
	VaryBroad      Kind = "vary-broad"
	VaryExplodes   Kind = "vary-explodes"
	QueryExplodes  Kind = "query-explodes"
	QueryUnused    Kind = "query-unused"
	NoValidator    Kind = "no-validator"
	CookieOnStatic Kind = "set-cookie-on-static"
	ETagDiffers    Kind = "etag-differs"
	NoLifetime     Kind = "no-lifetime"
	AgeBeyond      Kind = "age-beyond-lifetime"
	DateMissing    Kind = "date-missing"
	DateInvalid    Kind = "date-invalid"
	DateOff        Kind = "date-off"
	TypeMissing    Kind = "content-type-missing"
	PragmaOnly     Kind = "pragma-only"
)

// texts say what each kind means and what to do about it.
var texts = map[Kind]string{
	Contradiction:  "Cache-Control says two things that contradict each other: caches take the stricter one. Send only what is meant.",
	Invalid:        "Cache-Control has a member that is not well-formed. A lifetime that is not a number counts as stale.",
	ExpiresPast:    "Expires is before Date, so the response is stale on arrival. Send Cache-Control: max-age for a lifetime, or no-cache if every use is to be validated.",
	VaryStar:       "Vary: * keeps the response from ever being used again. Name the request fields by which it differs.",
	VaryBroad:      "Vary names a field that differs from client to client, so that hardly any two get the same stored response. Leave it out, or normalise the field by a rule.",
	VaryExplodes:   "A field in Vary came with many values for one URL: each makes a variant of its own.",
	QueryExplodes:  "A parameter of the query came with many values for one path: each makes an object of its own. If the answer does not depend on it, drop it by `query` in a rule.",
	QueryUnused:    "A parameter of the query came with many values for one path, and the answers had the same ETag: they do not seem to depend on it. Drop it by `query` in a rule.",
	NoValidator:    "There is neither ETag nor Last-Modified: once it is stale, the whole response is transferred again.",
	CookieOnStatic: "A static file sets a cookie, which keeps it from being stored. Do not set one here, or strip it by `set_cookie: strip` in a rule.",
	ETagDiffers:    "Servers of one origin send different ETags for the same URL and Last-Modified: going from one to the other, caches and clients transfer it again. Make the ETag of the content alone.",
	NoLifetime:     "There is no max-age, s-maxage or Expires: caches guess, or ask every time. Say how long the response may be used.",
	AgeBeyond:      "Age is not below the lifetime: a cache between here and the origin hands out what is stale already.",
	DateMissing:    "There is no Date, which the age of a response is reckoned by.",
	DateInvalid:    "Date is no date, so that ages are reckoned from the receipt. Send it as in \"Thu, 01 Jan 2026 12:00:00 GMT\".",
	DateOff:        "Date is more than 60 s off the clock here: ages come out wrong. Look after the clocks.",
	TypeMissing:    "There is no Content-Type: clients have to guess.",
	PragmaOnly:     "Pragma means nothing in a response. Send Cache-Control.",
}

// costsHits reports whether what was found makes misses: what is not stored for it, not
// used for as long, or transferred again.
func (i Issue) costsHits() bool {
	switch i.Kind {
	case TypeMissing, DateMissing, DateInvalid:
		return false
	case DateOff:
		return i.Detail == "behind" // so old that it is stale too early
	}
	return true
}

// Kinds returns all kinds, in the order of their description.
func Kinds() []Kind {
	return []Kind{
		Contradiction, Invalid, ExpiresPast, VaryStar, VaryBroad, VaryExplodes, QueryExplodes, QueryUnused, NoValidator,
		CookieOnStatic, ETagDiffers, NoLifetime, AgeBeyond, DateMissing, DateInvalid, DateOff, TypeMissing, PragmaOnly,
	}
}

// Text says what the kind means, and what to do about it.
func (k Kind) Text() string { return texts[k] }
