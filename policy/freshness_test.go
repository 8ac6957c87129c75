package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RFC 9111, 4.2.1 and 5.3. Every response has a validator, so that none is refused.
func TestLifetime(t *testing.T) {
	const targets = "CDN-Cache-Control: "
	for _, tc := range []struct {
		name, header string
		want         time.Duration
		source       Source
	}{
		{"4.2.1 max-age", "Cache-Control: max-age=60", time.Minute, SourceMaxAge},
		{"4.2.1 s-maxage wins over max-age", "Cache-Control: max-age=60, s-maxage=30", 30 * time.Second, SourceSMaxAge},
		{"4.2.1 s-maxage wins although it is longer", "Cache-Control: s-maxage=90, max-age=60", 90 * time.Second, SourceSMaxAge},
		{"4.2.1 s-maxage=0 wins", "Cache-Control: max-age=60, s-maxage=0", 0, SourceSMaxAge},
		{"4.2.1 max-age wins over Expires", "Cache-Control: max-age=60 | Expires: {90s}", time.Minute, SourceMaxAge},
		{"4.2.1 Expires less Date", "Expires: {90s} | Date: {30s}", time.Minute, SourceExpires},
		{"4.2.1 Expires without Date counts from the receipt", "Expires: {90s}", 90 * time.Second, SourceExpires},
		{"4.2.1 Expires with an invalid Date counts from the receipt", "Expires: {90s} | Date: yesterday", 90 * time.Second, SourceExpires},
		{"4.2.1 Expires is no heuristic", "Expires: {-1s} | Last-Modified: {-1000s}", 0, SourceExpires},
		{"4.2.1 nothing", "", 0, SourceNone},

		{"4.2.1 max-age twice, the smaller", "Cache-Control: max-age=60, max-age=30", 30 * time.Second, SourceMaxAge},
		{"4.2.1 max-age twice, the smaller first", "Cache-Control: max-age=30, max-age=60", 30 * time.Second, SourceMaxAge},
		{"4.2.1 max-age on two lines", "Cache-Control: max-age=60 | Cache-Control: max-age=30", 30 * time.Second, SourceMaxAge},
		{"4.2.1 max-age twice, one invalid", "Cache-Control: max-age=60, max-age=x", 0, SourceInvalid},
		{"4.2.1 a negative max-age is stale", "Cache-Control: max-age=-1 | Last-Modified: {-1000s}", 0, SourceInvalid},
		{"4.2.1 a fractional max-age is stale", "Cache-Control: max-age=60.5", 0, SourceInvalid},
		{"4.2.1 max-age with a letter before it is stale", "Cache-Control: max-age=a60", 0, SourceInvalid},
		{"4.2.1 max-age with a letter after it is stale", "Cache-Control: max-age=60a", 0, SourceInvalid},
		{"4.2.1 max-age with many digits and a letter is stale", "Cache-Control: max-age=99999999999999999999a", 0, SourceInvalid},
		{"4.2.1 max-age in single quotes is stale", "Cache-Control: max-age='60'", 0, SourceInvalid},
		{"4.2.1 max-age without a number is stale", "Cache-Control: max-age", 0, SourceInvalid},
		{"4.2.1 max-age with an empty number is stale", "Cache-Control: max-age=", 0, SourceInvalid},
		{"4.2.1 max-age with a space before the number is stale", "Cache-Control: max-age= 60", 0, SourceInvalid},
		{"4.2.1 max-age with a space before the sign is stale", "Cache-Control: max-age =60", 0, SourceInvalid},
		{"4.2.1 an invalid s-maxage does not give way to max-age", "Cache-Control: s-maxage=x, max-age=60", 0, SourceInvalid},
		{"4.2.1 an invalid max-age does not give way to Expires", "Cache-Control: max-age=x | Expires: {60s}", 0, SourceInvalid},
		{"4.2.1 a misspelt directive is unknown", "Cache-Control: maxage=60, max_age=60, s-max-age=60", 0, SourceNone},

		{"5.2 quoted", `Cache-Control: max-age="60"`, time.Minute, SourceMaxAge},
		{"5.2 in capitals", "CACHE-CONTROL: MAX-AGE=60", time.Minute, SourceMaxAge},
		{"5.2 empty members", "Cache-Control: ,, max-age=60,", time.Minute, SourceMaxAge},
		{"5.2 leading zeros", "Cache-Control: max-age=0060", time.Minute, SourceMaxAge},
		{"5.2 in the string of another directive", `Cache-Control: foo="max-age=90", max-age=60`, time.Minute, SourceMaxAge},
		{"5.2 in a string with an escaped quote", `Cache-Control: foo="\", max-age=90, \"", max-age=60`, time.Minute, SourceMaxAge},
		{"5.2 a broken member spoils only itself", "Cache-Control: public=1, ?, max-age=60", time.Minute, SourceMaxAge},
		{"1.2.2 an overflow is the greatest value", "Cache-Control: max-age=99999999999999999999", forever, SourceMaxAge},
		{"1.2.2 the greatest value", "Cache-Control: max-age=2147483648", forever, SourceMaxAge},

		{"5.3 Expires of 0 is in the past", "Expires: 0", 0, SourceExpires},
		{"5.3 Expires that is no date is in the past", "Expires: tomorrow | Last-Modified: {-1000s}", 0, SourceExpires},
		{"5.3 an empty Expires is in the past", "Expires: ", 0, SourceExpires},
		{"5.3 Expires before Date", "Expires: {-1s}", 0, SourceExpires},
		{"5.3 two different Expires are invalid", "Expires: {60s} | Expires: {90s}", 0, SourceExpires},
		{"5.3 two equal Expires", "Expires: {60s} | Expires: {60s}", time.Minute, SourceExpires},
		{"5.3 Expires far away", "Expires: Fri, 31 Dec 9999 23:59:59 GMT", forever, SourceExpires},

		{"9213 2.2 a targeted field wins", targets + "max-age=30 | Cache-Control: max-age=60, s-maxage=90", 30 * time.Second, SourceTargeted},
		{"9213 2.2 Expires does not count", targets + "public | Expires: {60s}", 0, SourceNone},
		{"9213 2.1 a negative number is stale", targets + "max-age=-1", 0, SourceInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stored(t, 200, `ETag: "a" | `+tc.header)
			assert.Equal(t, tc.want, s.Lifetime)
			assert.Equal(t, tc.source, s.Source, "source %s", s.Source)
		})
	}
}

// RFC 9111, 4.2.2.
func TestHeuristic(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		header string
		want   time.Duration
		source Source
	}{
		{"4.2.2 a tenth of the time since the modification", 200, "Last-Modified: {-1000s}", 100 * time.Second, SourceHeuristic},
		{"4.2.2 counted from Date", 200, "Last-Modified: {-1000s} | Date: {-500s}", 50 * time.Second, SourceHeuristic},
		{"4.2.2 at most a day", 200, "Last-Modified: {-100000h}", 24 * time.Hour, SourceHeuristic},
		{"4.2.2 modified in the future", 200, "Last-Modified: {10s}", 0, SourceNone},
		{"4.2.2 modified just now", 200, "Last-Modified: {0s}", 0, SourceNone},
		{"4.2.2 modified at no date", 200, `Last-Modified: never | ETag: "a"`, 0, SourceNone},
		{"4.2.2 never when the origin says", 200, "Last-Modified: {-1000s} | Cache-Control: max-age=0", 0, SourceMaxAge},
		{"4.2.2 a status with heuristics", 410, "Last-Modified: {-1000s}", 100 * time.Second, SourceHeuristic},
		{"4.2.2 a status without heuristics, marked public", 303, "Last-Modified: {-1000s} | Cache-Control: public", 100 * time.Second, SourceHeuristic},
		{"4.2.2 no-cache does not change the lifetime", 200, "Last-Modified: {-1000s} | Cache-Control: no-cache", 100 * time.Second, SourceHeuristic},
		{"9213 2.2 with a targeted field without a lifetime", 200, "Last-Modified: {-1000s} | CDN-Cache-Control: public | Cache-Control: max-age=7", 100 * time.Second, SourceHeuristic},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stored(t, tc.status, tc.header)
			assert.Equal(t, tc.want, s.Lifetime)
			assert.Equal(t, tc.source, s.Source, "source %s", s.Source)
		})
	}
}

// The rules of the configuration against what the origin says.
func TestLifetimeRules(t *testing.T) {
	ttl := func(d time.Duration) func(*Rules) {
		return func(r *Rules) { r.TTL, r.HasTTL = d, true }
	}
	clamped := func(r *Rules) { r.MinTTL, r.MaxTTL = 10*time.Second, 20*time.Second }
	perStatus := func(r *Rules) { r.StatusTTL = map[int]time.Duration{200: 5 * time.Second} }
	for _, tc := range []struct {
		name, header string
		rule         func(*Rules)
		want         time.Duration
		source       Source
	}{
		{"ttl overrides the origin", "Cache-Control: max-age=60", ttl(5 * time.Second), 5 * time.Second, SourceRule},
		{"ttl where the origin says nothing", "", ttl(5 * time.Second), 5 * time.Second, SourceRule},
		{"ttl of 0", "Cache-Control: max-age=60", ttl(0), 0, SourceRule},
		{"ttl is bounded", "", ttl(1<<63 - 1), forever, SourceRule},
		{"min-ttl raises", "Cache-Control: max-age=1", clamped, 10 * time.Second, SourceMaxAge},
		{"max-ttl lowers", "Cache-Control: max-age=60", clamped, 20 * time.Second, SourceMaxAge},
		{"between the two", "Cache-Control: max-age=15", clamped, 15 * time.Second, SourceMaxAge},
		{"they hold for a heuristic", "Last-Modified: {-10s}", clamped, 10 * time.Second, SourceHeuristic},
		{"4.2.1 min-ttl does not raise what is invalid", "Cache-Control: max-age=x", clamped, 0, SourceInvalid},
		{"min-ttl does not raise what is not given", "", clamped, 0, SourceNone},
		{"the status's ttl where the origin says nothing", "", perStatus, 5 * time.Second, SourceStatusTTL},
		{"the status's ttl comes before a heuristic", "Last-Modified: {-1000s}", perStatus, 5 * time.Second, SourceStatusTTL},
		{"the origin comes before the status's ttl", "Cache-Control: max-age=0", perStatus, 0, SourceMaxAge},
		{"no heuristic with a fraction of 0", "Last-Modified: {-1000s}", func(r *Rules) { r.HeuristicFraction = 0 }, 0, SourceHeuristic},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := plain()
			tc.rule(r)
			s, why := Admit(request("GET", ""), response(200, `ETag: "a" | `+tc.header), Times{t0, t0}, r)
			require.NotNil(t, s, "refused: %s", why)
			assert.Equal(t, tc.want, s.Lifetime)
			assert.Equal(t, tc.source, s.Source, "source %s", s.Source)
		})
	}
	t.Run("a status's ttl stores a status that needs explicit freshness", func(t *testing.T) {
		r := DefaultRules()
		r.StatusTTL = map[int]time.Duration{302: time.Second}
		s, why := Admit(request("GET", ""), response(302, ""), Times{t0, t0}, &r)
		require.NotNil(t, s, "refused: %s", why)
		assert.Equal(t, time.Second, s.Lifetime)
	})
}

// RFC 9111, 4.2.3 and 5.1. The request is sent at t0, the answer comes after delay.
func TestAge(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		name, header string
		delay, want  time.Duration
	}{
		{"4.2.3 neither Age nor Date", "", 0, 0},
		{"4.2.3 apparent age", "Date: {-5s}", 0, 5 * time.Second},
		{"4.2.3 a Date in the future is no negative age", "Date: {60s}", 0, 0},
		{"4.2.3 a Date within the second of the receipt", "Date: {0s}", 900 * ms, 900 * ms},
		{"4.2.3 Age plus the delay", "Age: 10", 2 * time.Second, 12 * time.Second},
		{"4.2.3 the delay alone", "Date: {0s}", 2 * time.Second, 2 * time.Second},
		{"4.2.3 the greater counts, Age", "Age: 10 | Date: {-5s}", 0, 10 * time.Second},
		{"4.2.3 the greater counts, Date", "Age: 10 | Date: {-50s}", 0, 50 * time.Second},
		{"4.2.3 a clock that was set back", "Age: 10", -2 * time.Second, 10 * time.Second},
		{"5.1 Age that is no number is ignored", "Age: old", 0, 0},
		{"5.1 a negative Age is ignored", "Age: -5", 0, 0},
		{"5.1 a fractional Age is ignored", "Age: 5.5", 0, 0},
		{"5.1 the first of several lines", "Age: 10 | Age: 20", 0, 10 * time.Second},
		{"5.1 the first of several lines although it is smaller", "Age: 0 | Age: 20", 0, 0},
		{"5.1 the first of a list", "Age: 10, 20", 0, 10 * time.Second},
		{"5.1 the first is invalid", "Age: x, 20", 0, 0},
		{"5.1 an empty Age", "Age: ", 0, 0},
		{"1.2.2 an overflow is the greatest value", "Age: 99999999999999999999", time.Hour, forever},
	} {
		t.Run(tc.name, func(t *testing.T) {
			times := Times{t0, t0.Add(tc.delay)}
			s, why := Admit(request("GET", ""), response(200, `Cache-Control: max-age=60 | `+tc.header), times, plain())
			require.NotNil(t, s, "refused: %s", why)
			assert.Equal(t, tc.want, s.InitialAge)
			assert.Equal(t, min(tc.want, forever)+7*time.Second, s.Age(times.Received.Add(7*time.Second)), "resident time is added")
		})
	}
}

func TestSourceNames(t *testing.T) {
	seen := map[string]bool{}
	for s := SourceNone; s <= SourcePurge; s++ {
		assert.NotEmpty(t, s.String())
		assert.False(t, seen[s.String()], s)
		seen[s.String()] = true
	}
}

// A lifetime that the operator gives begins with the receipt of the response,
// whatever the origin says about its age.
func TestOperatorTTL(t *testing.T) {
	for _, tc := range []struct {
		name   string
		header string
		change func(*Rules)
		want   time.Duration // left at the receipt
	}{
		{"ttl, an old response", "Age: 7200", func(r *Rules) { r.TTL, r.HasTTL = time.Minute, true }, time.Minute},
		{"ttl of zero", `ETag: "a" | Age: 7200`, func(r *Rules) { r.HasTTL = true }, 0},
		{"status_ttl, an old response", "Age: 7200", func(r *Rules) { r.StatusTTL = map[int]time.Duration{200: time.Minute} }, time.Minute},
		{"the origin's own lifetime counts its age", "Age: 20 | Cache-Control: max-age=60", func(*Rules) {}, 40 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := DefaultRules()
			tc.change(&rules)
			s, why := Admit(request("GET", ""), response(200, tc.header), Times{t0, t0}, &rules)
			require.Equal(t, ReasonNone, why)
			assert.Equal(t, tc.want, s.Lifetime-s.Age(t0))
			assert.GreaterOrEqual(t, s.Age(t0), 20*time.Second, "Age still tells the truth")
		})
	}
}
