package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// RFC 9111, 4: one stored response, one request, some time later.
func TestJudge(t *testing.T) {
	const etag = ` | ETag: "a"`
	for _, tc := range []struct {
		name     string
		response string
		request  string
		after    time.Duration
		action   Action
		reason   Reason
		ttl      time.Duration
	}{
		{"4.2 fresh", "Cache-Control: max-age=60" + etag, "", 59 * time.Second, Serve, Fresh, time.Second},
		{"4.2 an age equal to the lifetime is stale", "Cache-Control: max-age=60" + etag, "", 60 * time.Second, Validate, Stale, 0},
		{"4.2.4 stale with a validator", "Cache-Control: max-age=60" + etag, "", 61 * time.Second, Validate, Stale, -time.Second},
		{"4.2.4 stale without a validator", "Cache-Control: max-age=60", "", 61 * time.Second, Fetch, Stale, -time.Second},
		{"4.2.3 the age it came with counts", "Cache-Control: max-age=60 | Age: 50" + etag, "", 11 * time.Second, Validate, Stale, -time.Second},

		{"5.2.1.1 max-age not reached", "Cache-Control: max-age=60" + etag, "Cache-Control: max-age=10", 10 * time.Second, Serve, Fresh, 50 * time.Second},
		{"5.2.1.1 older than max-age", "Cache-Control: max-age=60" + etag, "Cache-Control: max-age=10", 11 * time.Second, Validate, RequestMaxAge, 49 * time.Second},
		{"5.2.1.1 max-age=0 is a reload", "Cache-Control: max-age=60" + etag, "Cache-Control: max-age=0", time.Millisecond, Validate, RequestMaxAge, time.Minute - time.Millisecond},
		{"5.2.1.1 without a validator", "Cache-Control: max-age=60", "Cache-Control: max-age=0", time.Second, Fetch, RequestMaxAge, 59 * time.Second},
		{"5.2.1.1 max-age that is no number asks the origin", "Cache-Control: max-age=60" + etag, "Cache-Control: max-age=x", time.Second, Validate, RequestMaxAge, 59 * time.Second},
		{"5.2.1.1 max-age does not accept what is stale", "Cache-Control: max-age=60, stale-while-revalidate=60" + etag, "Cache-Control: max-age=1000", 61 * time.Second, Validate, Stale, -time.Second},
		{"5.2.1.1 max-age holds beside max-stale", "Cache-Control: max-age=60" + etag, "Cache-Control: max-age=10, max-stale", 61 * time.Second, Validate, RequestMaxAge, -time.Second},
		{"5.2.1.1 max-age and max-stale both suit", "Cache-Control: max-age=60" + etag, "Cache-Control: max-age=100, max-stale", 61 * time.Second, ServeStale, MaxStale, -time.Second},

		{"5.2.1.2 max-stale, stale by no more", "Cache-Control: max-age=60" + etag, "Cache-Control: max-stale=30", 90 * time.Second, ServeStale, MaxStale, -30 * time.Second},
		{"5.2.1.2 max-stale, stale by more", "Cache-Control: max-age=60" + etag, "Cache-Control: max-stale=30", 91 * time.Second, Validate, Stale, -31 * time.Second},
		{"5.2.1.2 max-stale without a number", "Cache-Control: max-age=60" + etag, "Cache-Control: max-stale", 1000 * time.Hour, ServeStale, MaxStale, time.Minute - 1000*time.Hour},
		{"5.2.1.2 max-stale that is no number permits nothing", "Cache-Control: max-age=60" + etag, "Cache-Control: max-stale=x", 61 * time.Second, Validate, Stale, -time.Second},

		{"5.2.1.3 min-fresh is met", "Cache-Control: max-age=60" + etag, "Cache-Control: min-fresh=20", 40 * time.Second, Serve, Fresh, 20 * time.Second},
		{"5.2.1.3 min-fresh is not met", "Cache-Control: max-age=60" + etag, "Cache-Control: min-fresh=20", 41 * time.Second, Validate, RequestMinFresh, 19 * time.Second},
		{"5.2.1.3 min-fresh does not accept what is stale", "Cache-Control: max-age=60, stale-while-revalidate=60" + etag, "Cache-Control: min-fresh=1, max-stale", 61 * time.Second, Validate, RequestMinFresh, -time.Second},

		{"5.2.1.4 request no-cache", "Cache-Control: max-age=60" + etag, "Cache-Control: no-cache", 0, Validate, RequestNoCache, time.Minute},
		{"5.2.1.4 request no-cache without a validator", "Cache-Control: max-age=60", "Cache-Control: no-cache", 0, Fetch, RequestNoCache, time.Minute},
		{"5.2.1.4 request no-cache with rubbish", "Cache-Control: max-age=60" + etag, "Cache-Control: no-cache=1", 0, Validate, RequestNoCache, time.Minute},
		{"5.2.1.7 only-if-cached with something fresh", "Cache-Control: max-age=60" + etag, "Cache-Control: only-if-cached", 0, Serve, Fresh, time.Minute},
		{"5.2.1.7 only-if-cached with something stale", "Cache-Control: max-age=60" + etag, "Cache-Control: only-if-cached", 61 * time.Second, Fail, OnlyIfCached, -time.Second},
		{"5.2.1.7 only-if-cached with max-stale", "Cache-Control: max-age=60" + etag, "Cache-Control: only-if-cached, max-stale", 61 * time.Second, ServeStale, MaxStale, -time.Second},
		{"5.2.1.7 only-if-cached with no-cache", "Cache-Control: max-age=60" + etag, "Cache-Control: only-if-cached, no-cache", 0, Fail, OnlyIfCached, time.Minute},
		{"5.2.1 unknown directives are ignored", "Cache-Control: max-age=60" + etag, `Cache-Control: foo, bar="no-cache", max-aged=0`, 0, Serve, Fresh, time.Minute},

		{"5.2.2.2 must-revalidate while fresh", "Cache-Control: max-age=60, must-revalidate" + etag, "", time.Second, Serve, Fresh, 59 * time.Second},
		{"5.2.2.2 must-revalidate forbids max-stale", "Cache-Control: max-age=60, must-revalidate" + etag, "Cache-Control: max-stale", 61 * time.Second, Validate, Stale, -time.Second},
		{"5.2.2.2 must-revalidate forbids stale-while-revalidate", "Cache-Control: max-age=60, must-revalidate, stale-while-revalidate=60" + etag, "", 61 * time.Second, Validate, Stale, -time.Second},
		{"5.2.2.8 proxy-revalidate forbids stale-while-revalidate", "Cache-Control: max-age=60, proxy-revalidate, stale-while-revalidate=60" + etag, "", 61 * time.Second, Validate, Stale, -time.Second},
		{"5.2.2.10 s-maxage forbids stale-while-revalidate", "Cache-Control: s-maxage=60, stale-while-revalidate=60" + etag, "", 61 * time.Second, Validate, Stale, -time.Second},
		{"5.2.2.10 s-maxage forbids max-stale", "Cache-Control: s-maxage=60" + etag, "Cache-Control: max-stale", 61 * time.Second, Validate, Stale, -time.Second},
		{"5.2.2.4 response no-cache", "Cache-Control: max-age=60, no-cache" + etag, "", 0, Validate, ResponseNoCache, time.Minute},
		{"5.2.2.4 response no-cache without a validator", "Cache-Control: max-age=60, no-cache", "", 0, Fetch, ResponseNoCache, time.Minute},
		{"5.2.2.4 response no-cache forbids max-stale", "Cache-Control: max-age=60, no-cache" + etag, "Cache-Control: max-stale", 61 * time.Second, Validate, ResponseNoCache, -time.Second},
		{"5.2.2.4 qualified no-cache does not forbid use", `Cache-Control: max-age=60, no-cache="Foo"` + etag, "", 0, Serve, Fresh, time.Minute},

		{"5.4 Pragma", "Cache-Control: max-age=60" + etag, "Pragma: no-cache", 0, Validate, RequestNoCache, time.Minute},
		{"5.4 Pragma beside Cache-Control is void", "Cache-Control: max-age=60" + etag, "Pragma: no-cache | Cache-Control: max-age=100", 0, Serve, Fresh, time.Minute},
		{"5.4 another Pragma", "Cache-Control: max-age=60" + etag, "Pragma: foo, xno-cache", 0, Serve, Fresh, time.Minute},

		{"5861 3 within the window", "Cache-Control: max-age=60, stale-while-revalidate=30" + etag, "", 90 * time.Second, ServeStale, StaleWhileRevalidate, -30 * time.Second},
		{"5861 3 after the window", "Cache-Control: max-age=60, stale-while-revalidate=30" + etag, "", 91 * time.Second, Validate, Stale, -31 * time.Second},
		{"5861 3 a window of 0", "Cache-Control: max-age=60, stale-while-revalidate=0" + etag, "", 60 * time.Second, Validate, Stale, 0},
		{"5861 3 a window that is no number", "Cache-Control: max-age=60, stale-while-revalidate=x" + etag, "", 61 * time.Second, Validate, Stale, -time.Second},
		{"5861 3 without a lifetime", "Cache-Control: max-age=0, stale-while-revalidate=30", "", time.Second, ServeStale, StaleWhileRevalidate, -time.Second},

		{"8246 2 a reload does not revalidate", "Cache-Control: max-age=60, immutable" + etag, "Cache-Control: max-age=0", time.Second, Serve, Immutable, 59 * time.Second},
		{"8246 2 request no-cache does", "Cache-Control: max-age=60, immutable" + etag, "Cache-Control: no-cache", time.Second, Validate, RequestNoCache, 59 * time.Second},
		{"8246 2 no effect when stale", "Cache-Control: max-age=60, immutable" + etag, "Cache-Control: max-age=0", 61 * time.Second, Validate, RequestMaxAge, -time.Second},
		{"8246 2 an argument makes it void", "Cache-Control: max-age=60, immutable=1" + etag, "Cache-Control: max-age=0", time.Second, Validate, RequestMaxAge, 59 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stored(t, 200, tc.response)
			d := Judge(request("GET", tc.request), []*Stored{s}, t0.Add(tc.after))
			assert.Equal(t, tc.action, d.Action, "action %s", d.Action)
			assert.Equal(t, tc.reason, d.Reason, "reason %s", d.Reason)
			assert.Equal(t, tc.ttl, d.TTL)
			assert.Equal(t, s.InitialAge+tc.after, d.Age)
			assert.Equal(t, 0, d.Index)
			assert.Equal(t, tc.reason == StaleWhileRevalidate, d.Refresh, "refresh")
			assert.Nil(t, d.Missing)
		})
	}
}

// RFC 9111, 4: which of the stored responses is used.
func TestJudgeChooses(t *testing.T) {
	get := func(lines string) *Stored { return stored(t, 200, "Cache-Control: max-age=60 | "+lines) }
	varied := func(asked, lines string) *Stored {
		s, _ := Admit(request("GET", asked), response(200, "Cache-Control: max-age=60 | "+lines), Times{t0, t0}, plain())
		return s
	}
	head := get("")
	head.Method = "HEAD"
	later := get("")
	later.Received = t0.Add(time.Second)
	part := stored(t, 206, "Cache-Control: max-age=60 | Content-Range: bytes 0-9/20")
	for _, tc := range []struct {
		name    string
		method  string
		request string
		stored  []*Stored
		action  Action
		reason  Reason
		index   int
	}{
		{"4 nothing is stored", "GET", "", nil, Fetch, URIMiss, -1},
		{"4 nothing is stored, for a HEAD", "HEAD", "", nil, Fetch, URIMiss, -1},
		{"5.2.1.7 nothing is stored, only-if-cached", "GET", "Cache-Control: only-if-cached", nil, Fail, OnlyIfCached, -1},
		{"4 the most recent Date", "GET", "", []*Stored{get("Date: {-9s}"), get("Date: {-1s}"), get("Date: {-5s}")}, Serve, Fresh, 1},
		{"4 equal Dates, the later receipt", "GET", "", []*Stored{get(""), later, get("")}, Serve, Fresh, 1},
		{"4 a GET answers a HEAD", "HEAD", "", []*Stored{get("")}, Serve, Fresh, 0},
		{"4 a HEAD answers a HEAD", "HEAD", "", []*Stored{head}, Serve, Fresh, 0},
		{"4 a HEAD does not answer a GET", "GET", "", []*Stored{head}, Fetch, MethodMiss, -1},
		{"4.1 equal fields", "GET", "Foo: 1", []*Stored{varied("Foo: 1", "Vary: Foo")}, Serve, Fresh, 0},
		{"4.1 different fields", "GET", "Foo: 2", []*Stored{varied("Foo: 1", "Vary: Foo")}, Fetch, VaryMiss, -1},
		{"4.1 absent is not empty", "GET", "", []*Stored{varied("Foo: ", "Vary: Foo")}, Fetch, VaryMiss, -1},
		{"4.1 absent from both", "GET", "", []*Stored{varied("", "Vary: Foo")}, Serve, Fresh, 0},
		{"4.1 one of several variants", "GET", "Foo: 2", []*Stored{varied("Foo: 1", "Vary: Foo"), varied("Foo: 2", "Vary: Foo")}, Serve, Fresh, 1},
		{"4.1 the most recent of all that match", "GET", "Foo: 1", []*Stored{varied("Foo: 1", "Vary: Foo"), get("Date: {-1s}")}, Serve, Fresh, 0},
		{"3.3 a part does not answer a GET", "GET", "", []*Stored{part}, Fetch, PartialMiss, 0},
		{"3.3 a part does not answer a HEAD", "HEAD", "", []*Stored{part}, Fetch, PartialMiss, -1},
		{"3.3 a part answers a range within", "GET", "Range: bytes=2-3", []*Stored{part}, Serve, Fresh, 0},
		{"3.3 a part does not answer a range beyond", "GET", "Range: bytes=5-12", []*Stored{part}, Fetch, PartialMiss, 0},
		{"3.3 only-if-cached and a range beyond", "GET", "Range: bytes=5-12 | Cache-Control: only-if-cached", []*Stored{part}, Fail, OnlyIfCached, 0},
		{"9110 15.5.17 a range beyond the representation", "GET", "Range: bytes=20-", []*Stored{part}, Serve, Fresh, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := Judge(request(tc.method, tc.request), tc.stored, t0)
			assert.Equal(t, tc.action, d.Action, "action %s", d.Action)
			assert.Equal(t, tc.reason, d.Reason, "reason %s", d.Reason)
			assert.Equal(t, tc.index, d.Index)
		})
	}
}

func TestPasses(t *testing.T) {
	bypass := &Rules{Bypass: true}
	for _, tc := range []struct {
		name    string
		request *Request
		rules   *Rules
		want    Reason
	}{
		{"4 GET", request("GET", ""), plain(), ReasonNone},
		{"4 HEAD", request("HEAD", ""), plain(), ReasonNone},
		{"4 POST", request("POST", ""), plain(), Method},
		{"4 OPTIONS", request("OPTIONS", ""), plain(), Method},
		{"4 a method is case-sensitive", request("get", ""), plain(), Method},
		{"5.2.1.5 request no-store", request("GET", "Cache-Control: no-store"), plain(), RequestNoStore},
		{"5.2.1.5 request no-store with rubbish", request("GET", "Cache-Control: max-age=1 no-store"), plain(), RequestNoStore},
		{"9110 13.1.1 If-Match", request("GET", `If-Match: "a"`), plain(), OriginCondition},
		{"9110 13.1.4 If-Unmodified-Since", request("GET", "If-Unmodified-Since: {-1s}"), plain(), OriginCondition},
		{"4.3.2 If-None-Match is evaluated here", request("GET", `If-None-Match: "a"`), plain(), ReasonNone},
		{"9110 9.3.1 content", &Request{Method: "GET", Fields: fields(""), Body: true}, plain(), RequestBody},
		{"9110 7.8 Upgrade", &Request{Method: "GET", Fields: fields(""), Upgrade: true}, plain(), Upgrade},
		{"configuration", request("GET", ""), bypass, Bypass},
		{"the method says more than the rule", request("PUT", ""), bypass, Method},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Passes(tc.request, tc.rules)
			assert.Equal(t, tc.want, got, "reason %s", got)
		})
	}
}

// RFC 5861, 4 and RFC 9111, 4.2.4 and 4.3.3.
func TestOnError(t *testing.T) {
	graceful := plain()
	graceful.GraceError = time.Hour
	for _, tc := range []struct {
		name     string
		response string
		request  string
		rules    *Rules
		after    time.Duration
		want     bool
	}{
		{"5861 4 within the window", "Cache-Control: max-age=60, stale-if-error=30", "", plain(), 90 * time.Second, true},
		{"5861 4 after the window", "Cache-Control: max-age=60, stale-if-error=30", "", plain(), 91 * time.Second, false},
		{"5861 4 the request widens the window", "Cache-Control: max-age=60", "Cache-Control: stale-if-error=30", plain(), 90 * time.Second, true},
		{"5861 4 the request does not narrow it", "Cache-Control: max-age=60, stale-if-error=30", "Cache-Control: stale-if-error=1", plain(), 90 * time.Second, true},
		{"5861 4 a window that is no number", "Cache-Control: max-age=60, stale-if-error=x", "", graceful, 61 * time.Second, false},
		{"4.3.3 still fresh", "Cache-Control: max-age=60", "Cache-Control: no-cache", plain(), time.Second, true},
		{"4.2.4 nobody permits it", "Cache-Control: max-age=60", "", plain(), 61 * time.Second, false},
		{"4.2.4 the operator's grace", "Cache-Control: max-age=60", "", graceful, 61 * time.Second, true},
		{"4.2.4 the operator's grace ends", "Cache-Control: max-age=60", "", graceful, 62 * time.Minute, false},
		{"4.2.4 the origin's window replaces the operator's", "Cache-Control: max-age=60, stale-if-error=30", "", graceful, 91 * time.Second, false},
		{"5.2.2.2 not with must-revalidate", "Cache-Control: max-age=60, must-revalidate, stale-if-error=30", "", graceful, 61 * time.Second, false},
		{"5.2.2.2 not even when the client widens the window", "Cache-Control: max-age=60, must-revalidate", "Cache-Control: stale-if-error=30", graceful, 61 * time.Second, false},
		{"5.2.2.8 not with proxy-revalidate", "Cache-Control: max-age=60, proxy-revalidate, stale-if-error=30", "", graceful, 61 * time.Second, false},
		{"5.2.2.10 not with s-maxage", "Cache-Control: s-maxage=60, stale-if-error=30", "", graceful, 61 * time.Second, false},
		{"5.2.2.4 not with no-cache", `Cache-Control: max-age=60, no-cache, stale-if-error=30`, "", graceful, time.Second, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := Admit(request("GET", ""), response(200, tc.response), Times{t0, t0}, tc.rules)
			assert.Equal(t, tc.want, OnError(request("GET", tc.request), s, t0.Add(tc.after)))
		})
	}
}

func TestFailed(t *testing.T) {
	want := map[int]bool{500: true, 502: true, 503: true, 504: true}
	for status := 100; status < 600; status++ {
		assert.Equal(t, want[status], Failed(status), "RFC 5861, 4: status %d", status)
	}
}

func TestOutdated(t *testing.T) {
	s := stored(t, 200, `Cache-Control: max-age=60, stale-while-revalidate=60, stale-if-error=60 | ETag: "a"`)
	o := s.Outdated()
	d := Judge(request("GET", ""), []*Stored{o}, t0.Add(time.Second))
	assert.Equal(t, Validate, d.Action, "4.3.5 an outdated response is stale at once")
	assert.Equal(t, Stale, d.Reason)
	assert.True(t, OnError(request("GET", ""), o, t0.Add(time.Second)), "it still helps when the origin fails")
	assert.Equal(t, time.Minute, s.Lifetime, "the original is left alone")
}

func TestActionNames(t *testing.T) {
	var names []string
	for _, a := range Actions() {
		names = append(names, a.String())
	}
	assert.Equal(t, []string{"pass", "serve", "serve-stale", "validate", "fetch", "fail"}, names)
}
