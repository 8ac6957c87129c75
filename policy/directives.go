package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/pquerna/cachecontrol/cacheobject"
)

// lifetimeDirective is a directive with a number of seconds. A value that
// cannot be parsed is invalid, which counts as stale and not as absent
// (RFC 9111, 4.2.1).
type lifetimeDirective struct {
	present bool
	invalid bool
	value   time.Duration
}

// valid reports whether the directive is there and well-formed.
func (d *lifetimeDirective) valid() bool { return d.present && !d.invalid }

// join takes another occurrence of the directive: the more restrictive wins.
func (d *lifetimeDirective) join(seconds int64, ok bool) {
	v := time.Duration(seconds) * time.Second
	switch {
	case !ok:
		d.present, d.invalid, d.value = true, true, 0
	case !d.present:
		d.present, d.value = true, v
	default:
		d.value = min(d.value, v)
	}
}

// ResponseDirectives are the directives of a response that matter to a shared
// cache, from Cache-Control or from a targeted field.
type ResponseDirectives struct {
	NoStore, NoCache, Private, Public bool
	MustRevalidate, ProxyRevalidate   bool
	MustUnderstand, Immutable         bool
	MaxAge, SMaxAge                   lifetimeDirective
	StaleWhileRevalidate              lifetimeDirective
	StaleIfError                      lifetimeDirective
	NoCacheFields, PrivateFields      []string // of the qualified forms
}

// ParseResponseDirectives parses the lines of a Cache-Control field of a
// response (RFC 9111, 5.2). Members are parsed one by one, so that a broken
// one spoils only itself.
func ParseResponseDirectives(lines []string) ResponseDirectives {
	var d ResponseDirectives
	members(lines, func(m string) bool {
		d.add(m)
		return true
	})
	return d
}

// add takes a member, and reports whether it is well-formed.
func (d *ResponseDirectives) add(member string) bool {
	name, arg, hasArg := strings.Cut(strings.ToLower(member), "=")
	seconds, isSeconds := deltaSeconds(unquote(arg)) // the library takes "99999999999x" for a number
	cc, err := cacheobject.ParseResponseCacheControl(member)
	if err != nil || !wellFormed(member) {
		d.addBroken(member)
		return false
	}
	switch {
	case name == "stale-while-revalidate":
		d.StaleWhileRevalidate.join(seconds, isSeconds)
	case name == "stale-if-error":
		d.StaleIfError.join(seconds, isSeconds)
	case cc.MaxAge >= 0:
		d.MaxAge.join(seconds, isSeconds)
	case cc.SMaxAge >= 0:
		d.SMaxAge.join(seconds, isSeconds)
	case cc.NoStore:
		d.NoStore = true
	case cc.NoCachePresent:
		names, ok := fieldNames(cc.NoCache)
		d.NoCache = d.NoCache || !ok
		d.NoCacheFields = append(d.NoCacheFields, names...)
	case cc.PrivatePresent:
		names, ok := fieldNames(cc.Private)
		d.Private = d.Private || !ok
		d.PrivateFields = append(d.PrivateFields, names...)
	case cc.Public:
		d.Public = true
	case cc.MustRevalidate:
		d.MustRevalidate = true
	case cc.ProxyRevalidate:
		d.ProxyRevalidate = true
	case cc.Immutable:
		d.Immutable = true
	case name == "must-understand" && !hasArg: // a permission: it makes no-store void
		d.MustUnderstand = true
	}
	return true
}

// BrokenDirectives returns the members of a Cache-Control field of a response that
// are not well-formed, as they are.
func BrokenDirectives(lines []string) (broken []string) {
	members(lines, func(m string) bool {
		var d ResponseDirectives
		if !d.add(m) || d.MaxAge.invalid || d.SMaxAge.invalid || d.StaleWhileRevalidate.invalid || d.StaleIfError.invalid {
			broken = append(broken, m)
		}
		return true
	})
	return broken
}

// addBroken takes a member that does not parse: a restriction holds wherever
// it stands in it ("max-age=5 private", an unclosed quote), a permission only
// when it is well-formed.
func (d *ResponseDirectives) addBroken(member string) {
	for word := range strings.FieldsFuncSeq(strings.ToLower(member), notInToken) {
		switch word {
		case "max-age":
			d.MaxAge.join(0, false)
		case "s-maxage":
			d.SMaxAge.join(0, false)
		case "stale-while-revalidate":
			d.StaleWhileRevalidate.join(0, false)
		case "stale-if-error":
			d.StaleIfError.join(0, false)
		case "no-store":
			d.NoStore = true
		case "no-cache":
			d.NoCache = true
		case "private":
			d.Private = true
		case "must-revalidate", "proxy-revalidate":
			// Not MustRevalidate, which permits what Authorization forbids (RFC 9111, 3.5).
			d.ProxyRevalidate = true
		}
	}
}

// wellFormed reports whether a member is a token, alone or with a token or one
// quoted string as its argument (RFC 9111, 5.2).
func wellFormed(member string) bool {
	name, arg, hasArg := strings.Cut(member, "=")
	return isToken(name) && (!hasArg || isToken(arg) || isQuoted(arg))
}

// fieldNames returns the sorted names of a qualified directive. ok is false
// when there are none or one of them is no field name: then the directive
// counts as unqualified, which is the more restrictive form.
func fieldNames(names cacheobject.FieldNames) (list []string, ok bool) {
	ok = true
	for name := range names {
		if name = trim(name); name == "" {
			continue
		}
		list = append(list, name)
		ok = ok && isToken(name)
	}
	slices.Sort(list)
	return list, ok && len(list) > 0
}

func unquote(s string) string {
	s = trim(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// RequestDirectives are a client's wishes (RFC 9111, 5.2.1 and 5.4).
type RequestDirectives struct {
	NoCache, NoStore, OnlyIfCached bool
	MaxAge, MinFresh               lifetimeDirective
	MaxStale                       lifetimeDirective
	StaleIfError                   lifetimeDirective
}

// anyAge is the value of max-stale without an argument.
const anyAge = time.Duration(1<<63 - 1)

// ParseRequestDirectives parses the lines of Cache-Control and Pragma of a
// request. Without Cache-Control, Pragma: no-cache means the same as there.
func ParseRequestDirectives(lines, pragma []string) RequestDirectives {
	var d RequestDirectives
	members(lines, func(m string) bool {
		d.add(m)
		return true
	})
	if len(lines) == 0 { // RFC 9111, 5.4: Cache-Control makes Pragma void
		members(pragma, func(m string) bool {
			d.NoCache = strings.EqualFold(m, "no-cache")
			return !d.NoCache
		})
	}
	return d
}

func (d *RequestDirectives) add(member string) {
	cc, err := cacheobject.ParseRequestCacheControl(member)
	_, arg, _ := strings.Cut(member, "=")
	seconds, isSeconds := deltaSeconds(unquote(arg))
	isNumber := cc != nil && (cc.MaxAge >= 0 || cc.MinFresh >= 0 || cc.MaxStale >= 0 || cc.StaleIfError > 0)
	if err != nil || !wellFormed(member) || isNumber && !isSeconds {
		d.addBroken(member)
		return
	}
	switch {
	case cc.MaxAge >= 0:
		d.MaxAge.join(seconds, true)
	case cc.MinFresh >= 0: // the longer is the more restrictive
		d.MinFresh.present = true
		d.MinFresh.value = max(d.MinFresh.value, time.Duration(seconds)*time.Second)
	case cc.MaxStale >= 0:
		d.MaxStale.join(seconds, true)
	case cc.MaxStaleSet:
		if !d.MaxStale.present {
			d.MaxStale.present, d.MaxStale.value = true, anyAge
		}
	case cc.StaleIfError > 0:
		d.StaleIfError.join(seconds, true)
	case cc.NoCache:
		d.NoCache = true
	case cc.NoStore:
		d.NoStore = true
	case cc.OnlyIfCached:
		d.OnlyIfCached = true
	}
}

// addBroken: a wish that cannot be parsed is taken in the sense that asks the
// origin; a permission that cannot be parsed is not given.
func (d *RequestDirectives) addBroken(member string) {
	for word := range strings.FieldsFuncSeq(strings.ToLower(member), notInToken) {
		switch word {
		case "max-age":
			d.MaxAge.join(0, true)
		case "no-cache":
			d.NoCache = true
		case "no-store":
			d.NoStore = true
		}
	}
}

// WithoutDemands returns the directives without those that ask for a newer
// answer or forbid storing it; what the client tolerates stays.
func (d RequestDirectives) WithoutDemands() RequestDirectives {
	return RequestDirectives{OnlyIfCached: d.OnlyIfCached, MaxStale: d.MaxStale, StaleIfError: d.StaleIfError}
}

// Newer reports whether the client may ask for an answer newer than a stored one.
func (d *RequestDirectives) Newer() bool {
	return d.NoCache || d.MaxAge.present || d.MinFresh.present
}
