package policy

import (
	"net/http"
	"strings"
	"time"
)

// dateLayouts are the three forms of an HTTP date (RFC 9110, 5.6.7).
var dateLayouts = []string{http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC}

// parseDate parses an HTTP date. Names and the zone may be in any case; apart
// from that the form must be exact, since what is taken for a date decides
// about freshness. A day of the week that does not fit the date is no matter.
func parseDate(s string) (time.Time, bool) {
	s = trim(s)
	if n := len(s) - len("GMT"); n > 0 && strings.EqualFold(s[n:], "GMT") {
		s = s[:n] + "GMT"
	}
	for _, layout := range dateLayouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		// time.Parse takes runs of spaces and short numbers too.
		_, exact, _ := strings.Cut(t.Format(layout), " ")
		_, given, _ := strings.Cut(s, " ")
		if !strings.EqualFold(exact, given) {
			return time.Time{}, false
		}
		return t, true
	}
	return time.Time{}, false
}
