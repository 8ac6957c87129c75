package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// RFC 9110, 5.6.7: what is no date counts as the past, so only dates may pass.
func TestParseDate(t *testing.T) {
	when := time.Date(1994, time.November, 6, 8, 49, 37, 0, time.UTC)
	for _, s := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		" Sun, 06 Nov 1994 08:49:37 GMT\t", "sun, 06 nov 1994 08:49:37 gmt", "Mon, 06 Nov 1994 08:49:37 GMT",
	} {
		got, ok := parseDate(s)
		assert.True(t, ok, "%q", s)
		assert.True(t, when.Equal(got), "%q: %s", s, got)
	}
	for _, s := range []string{
		"", "0", "-1", "784111777", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun,  06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06-Nov-1994 08:49:37 GMT", "on, T06 Nov 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT",
		"Sun, 06 Nov 19:4 08:49:37 GMT", "Sun, 0/ Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49:37.5 GMT",
		"06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 PST",
	} {
		_, ok := parseDate(s)
		assert.False(t, ok, "%q", s)
	}
}

// The short way for the usual form finds the same dates.
func TestUsualDates(t *testing.T) {
	for day := time.Date(1899, time.December, 20, 23, 59, 58, 0, time.UTC); day.Year() < 2101; day = day.Add(997*time.Hour + 61*time.Second) {
		got, ok := parseUsual(day.Format("Mon, 02 Jan 2006 15:04:05 GMT"))
		assert.True(t, ok, "%s", day)
		assert.Equal(t, day, got)
	}
	for _, none := range []string{"Thu, 31 Apr 1994 08:49:37 GMT", "Wed, 29 Feb 1995 08:49:37 GMT"} {
		_, ok := parseUsual(none)
		assert.False(t, ok, none)
	}
}
