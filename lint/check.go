package lint

import (
	"net/http"
	"strings"
	"time"

	"cacheproxy/policy"
)

// Issue is something found in one response.
type Issue struct {
	Kind   Kind
	Detail string // the field, member or pair at fault
}

// mostOff is how far a Date may be from the clock here.
const mostOff = 60 * time.Second

// Check looks at one response by itself.
func Check(r *Response) (found []Issue) {
	add := func(k Kind, detail string) { found = append(found, Issue{k, detail}) }
	date := checkDate(r, add)
	if r.Status < 200 || r.Status > 299 {
		return found
	}
	lines := r.Fields.Values("Cache-Control")
	facts := policy.Facts(r.Fields)
	for _, member := range policy.BrokenDirectives(lines) {
		add(Invalid, member)
	}
	checkContradictions(&facts, add)
	checkLifetime(r, &facts, date, add)
	checkVary(r, add)
	if len(r.Fields.Values("Set-Cookie")) > 0 && isStatic(r) {
		add(CookieOnStatic, "")
	}
	if !facts.NoStore && !facts.Private && r.Status == http.StatusOK && !has(r, "Etag") && !has(r, "Last-Modified") {
		add(NoValidator, "")
	}
	if !has(r, "Content-Type") && !r.Empty && r.Status == http.StatusOK {
		add(TypeMissing, "")
	}
	return found
}

func has(r *Response, name string) bool { return len(r.Fields.Values(name)) > 0 }

// isStatic reports whether a response is that of a static file, by path or type.
func isStatic(r *Response) bool {
	if policy.Static(r.Path) {
		return true
	}
	lines := r.Fields.Values("Content-Type")
	if len(lines) == 0 {
		return false
	}
	kind, _, _ := strings.Cut(strings.ToLower(lines[0]), ";")
	for _, begin := range []string{"text/css", "text/javascript", "application/javascript", "image/", "font/", "video/", "audio/"} {
		if strings.HasPrefix(strings.TrimSpace(kind), begin) {
			return true
		}
	}
	return false
}

// checkDate returns the Date, or the time of receipt without one.
func checkDate(r *Response, add func(Kind, string)) time.Time {
	lines := r.Fields.Values("Date")
	if len(lines) == 0 {
		add(DateMissing, "")
		return r.Received
	}
	date, ok := policy.ParseDate(lines[0])
	age := policy.AgeOf(r.Fields) // a cache in front of the origin sends the Date of then
	switch {
	case !ok:
		add(DateInvalid, "")
		return r.Received
	case date.Sub(r.Received) > mostOff:
		add(DateOff, "ahead")
	case r.Received.Sub(date)-age > mostOff:
		add(DateOff, "behind")
	}
	return date
}

// checkContradictions looks for pairs of which one makes the other void. A max-age
// of 0 beside no-store says the same once more.
func checkContradictions(f *policy.DirectiveFacts, add func(Kind, string)) {
	for _, pair := range []struct {
		both bool
		name string
	}{
		{f.NoStore && f.HasMaxAge && f.MaxAge > 0, "no-store and max-age"},
		{f.NoStore && f.HasSMaxAge && f.SMaxAge > 0, "no-store and s-maxage"},
		{f.NoStore && f.Public, "no-store and public"},
		{f.NoStore && f.Immutable, "no-store and immutable"},
		{f.Private && f.Public, "private and public"},
		{f.Private && f.HasSMaxAge, "private and s-maxage"},
		{f.NoCache && f.Immutable, "no-cache and immutable"},
	} {
		if pair.both {
			add(Contradiction, pair.name)
		}
	}
}

func checkLifetime(r *Response, f *policy.DirectiveFacts, date time.Time, add func(Kind, string)) {
	said := f.NoStore || f.NoCache || f.Private || f.HasMaxAge || f.HasSMaxAge || f.Targeted
	expires := r.Fields.Values("Expires")
	pragma := r.Fields.Values("Pragma")
	if len(expires) > 0 && !said {
		if t, ok := policy.ParseDate(expires[0]); ok && t.Before(date) {
			add(ExpiresPast, "")
		}
	}
	switch {
	case said || len(expires) > 0:
	case len(pragma) > 0:
		add(PragmaOnly, pragma[0])
	default:
		add(NoLifetime, "")
	}
	life, is := f.MaxAge, f.HasMaxAge
	if f.HasSMaxAge {
		life, is = f.SMaxAge, true
	}
	if age := policy.AgeOf(r.Fields); is && !f.NoStore && life > 0 && age >= life {
		add(AgeBeyond, "")
	}
}

// broad are fields that differ from client to client.
var broad = map[string]bool{"User-Agent": true, "Cookie": true, "Referer": true, "X-Forwarded-For": true}

func checkVary(r *Response, add func(Kind, string)) {
	names, star := policy.VaryNames(r.Fields)
	if star {
		add(VaryStar, "")
		return
	}
	for _, name := range names {
		if broad[name] {
			add(VaryBroad, name)
		}
	}
}
