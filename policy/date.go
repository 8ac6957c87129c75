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
	if t, ok := parseUsual(s); ok {
		return t, true
	}
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

// parseUsual parses the form that senders use (RFC 9110, 5.6.7), in the usual case
// of letters. What it does not take may be a date all the same.
func parseUsual(s string) (t time.Time, ok bool) {
	const form = "Sun, 06 Nov 1994 08:49:37 GMT"
	if len(s) != len(form) || strings.Index(weekdays, s[:5])%5 != 0 || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' ||
		s[19] != ':' || s[22] != ':' || s[25:] != " GMT" {
		return t, false
	}
	month := strings.Index(months, s[8:11])
	day, hour, minute, second := number(s[5:7]), number(s[17:19]), number(s[20:22]), number(s[23:25])
	year := 100*number(s[12:14]) + number(s[14:16])
	if month < 0 || month%3 != 0 || year < 0 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return t, false
	}
	t = time.Date(year, time.Month(month/3+1), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // not a 30th of February
}

const (
	weekdays = "Mon, Tue, Wed, Thu, Fri, Sat, Sun, "
	months   = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// number returns the value of two digits, or a number so negative that a year
// made with it is, too.
func number(s string) int {
	tens, ones := s[0]-'0', s[1]-'0'
	if tens > 9 || ones > 9 {
		return -10000
	}
	return int(10*tens + ones)
}
