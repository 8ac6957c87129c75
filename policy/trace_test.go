package policy

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A nil trace takes everything and has nothing.
func TestNoTrace(t *testing.T) {
	var trace *Trace
	trace.Note(StepKey, "key", "x")
	assert.Equal(t, NoStore, trace.gate("rfc", NoStore))
	steps, dropped := trace.Steps()
	assert.Empty(t, steps)
	assert.Zero(t, dropped)
	assert.False(t, trace.Has(StepKey))
}

func TestTraceIsBounded(t *testing.T) {
	trace := new(Trace)
	for range MostSteps + 10 {
		trace.Note(StepKey, "key", "x")
	}
	steps, dropped := trace.Steps()
	assert.Len(t, steps, MostSteps)
	assert.Equal(t, 10, dropped)

	trace = new(Trace)
	many := make([]string, 1000)
	for i := range many {
		many[i] = strings.Repeat("é", 4000)
	}
	for range 1000 {
		trace.Note(StepGoverns, "field", many[0], "value", many, "directives", many[1])
	}
	steps, dropped = trace.Steps()
	assert.Equal(t, 1000, len(steps)+dropped)
	text, err := json.Marshal(steps)
	require.NoError(t, err)
	assert.Less(t, len(text), 128<<10)
	assert.LessOrEqual(t, len(steps[0].Value("field").(string)), MostValueBytes+len("...?"))
}

func TestTraceOfManyGoroutines(t *testing.T) {
	trace := new(Trace)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				trace.Note(StepKey, "key", "x")
				trace.Steps()
			}
		})
	}
	wg.Wait()
	steps, _ := trace.Steps()
	assert.Len(t, steps, 80)
}

// The rows of the table are complete, and their names fit for programs.
func TestStepsTable(t *testing.T) {
	for _, c := range Codes() {
		info := c.Info()
		assert.Regexp(t, `^[a-z]+(-[a-z]+)*$`, info.Name)
		assert.NotEmpty(t, info.Text, info.Name)
		assert.NotRegexp(t, `\.$`, info.Text, "a sentence goes on with its clause: %s", info.Name)
	}
}

func TestSentence(t *testing.T) {
	for _, tc := range []struct{ header, want string }{
		{"Cache-Control: max-age=60", "the origin's `Cache-Control: max-age=60` gives a lifetime of 60 s (RFC 9111, 4.2.1)"},
		{"Cache-Control: max-age=5, s-maxage=90", "the origin's `Cache-Control: s-maxage=90` gives a lifetime of 90 s (RFC 9111, 4.2.1)"},
		{"Cdn-Cache-Control: max-age=7 | Cache-Control: private", "the origin's `Cdn-Cache-Control: max-age=7` gives a lifetime of 7 s (RFC 9111, 4.2.1)"},
		{"Cdn-Cache-Control: & | Cache-Control: max-age=1", "Cdn-Cache-Control is empty or not well-formed, and is ignored (RFC 9213, 2.2)"},
		{"Date: {0s} | Expires: {30s}", "Expires (" + date(30*time.Second) + ") less Date (" + date(0) + ") gives a lifetime of 30 s (RFC 9111, 4.2.1)"},
		{"Expires: 0", "Expires (0) is no date, which counts as past: a lifetime of 0 s (RFC 9111, 5.3)"},
		{"Date: {0s} | Last-Modified: {-1000s}", "the origin gives no lifetime; 10 % of the 1000 s between Last-Modified and Date, at most 24 h, is 100 s (RFC 9111, 4.2.2)"},
		{"Cache-Control: max-age=x", "the lifetime in Cache-Control is not a number of seconds, which counts as stale: 0 s (RFC 9111, 4.2.1)"},
		{"Cache-Control: max-age=x, public", "not well-formed: max-age=x; what restricts in it holds, what permits does not (RFC 9111, 4.2.1)"},
		{"X: y", "nothing gives it a lifetime: there is no max-age, s-maxage or Expires, and no Last-Modified to guess by (RFC 9111, 4.2.1)"},
		{"X: y", "it is not stored: no freshness lifetime and no validator: it could never be used (RFC 9111, 4.2)"},
		{"Pragma: no-cache", "its Pragma: no-cache is taken for Cache-Control: no-cache (RFC 9111, 5.4)"},
		{"Cache-Control: no-cache, max-age=60", "the origin wants every use of it validated, fresh or not (RFC 9111, 5.2.2.4)"},
		{"Cache-Control: max-age=60", "gate use, whether it could ever be used: passed"},
		{"Cache-Control: private", "gate rfc, what RFC 9111, 3 forbids: refused, private (RFC 9111, 5.2.2.7)"},
		{"Cache-Control: max-age=60 | Set-Cookie: a=b", "gate set-cookie, the rule for cookies: refused, set-cookie (RFC 9111, 7.3; configuration)"},
		{"Cache-Control: max-age=60 | Vary: Cookie, Accept", "it is for requests that agree in Accept, Cookie (RFC 9111, 4.1)"},
		{"Cache-Control: max-age=60 | Age: 5 | Date: {-3s}", "it was 6 s old on arrival: the greater of 4 s (arrival less Date) and 5 s (its Age field) + 1 s (the exchange) (RFC 9111, 4.2.3)"},
	} {
		t.Run(tc.header, func(t *testing.T) {
			rq, rules := request("GET", ""), DefaultRules()
			rq.Trace = new(Trace)
			Admit(rq, &Response{Status: 200, Fields: fields(tc.header)}, Times{t0, t0.Add(time.Second)}, &rules)
			assert.Contains(t, sentences(rq.Trace), tc.want)
		})
	}
}

func TestSentencesOfJudge(t *testing.T) {
	stored := func(asked, header string) *Stored {
		s, why := Admit(request("GET", asked), &Response{Status: 200, Fields: fields(header)}, Times{t0, t0}, plain())
		require.NotNil(t, s, why.String())
		return s
	}
	ended := func(s *Stored) *Stored {
		s.EndAt(t0.Add(20 * time.Second))
		return s
	}
	for _, tc := range []struct {
		name, asked string
		stored      []*Stored
		after       time.Duration
		want        []string
	}{
		{"nothing", "", nil, 0, []string{"nothing is stored under this key", "the decision is to fetch: nothing is stored for this URL (RFC 9111, 4)"}},
		{"fresh", "", []*Stored{stored("", "Cache-Control: max-age=60")}, 10 * time.Second, []string{
			"under this key 1 response is stored", "response 1 (status 200) fits: it has no Vary (RFC 9111, 4.1)",
			"its age is 10 s: it was 0 s old when it arrived 10 s ago (RFC 9111, 4.2.3)",
			"its lifetime of 60 s (by max-age) is not over: it stays fresh for 50 s (RFC 9111, 4.2)",
			"the decision is to serve: the stored response is fresh (RFC 9111, 4.2)",
		}},
		{"stale", "", []*Stored{stored("", "Cache-Control: max-age=60, stale-while-revalidate=5")}, 70 * time.Second, []string{
			"its lifetime of 60 s (by max-age) is over: it has been stale for 10 s (RFC 9111, 4.2)",
			"stale, it may be used for 5 s while it is refreshed, and for 0 s when the origin fails (RFC 5861)",
		}},
		{"never stale", "", []*Stored{stored("", "Cache-Control: s-maxage=60")}, 70 * time.Second, []string{
			"it may never be used stale: must-revalidate, proxy-revalidate, s-maxage or no-cache says so (RFC 9111, 4.2.4)",
		}},
		{"ended", "", []*Stored{ended(stored("", "Cache-Control: max-age=600"))}, 70 * time.Second, []string{
			"a soft purge ended its freshness at the age of 20 s: it has been stale for 50 s",
		}},
		{"never fresh", "", []*Stored{stored("", "Etag: \"a\"")}, 70 * time.Second, []string{
			"nothing gave it a lifetime: it has been stale for 70 s (RFC 9111, 4.2)",
		}},
		{"variants", "Accept: b", []*Stored{stored("Accept: a", "Cache-Control: max-age=60 | Vary: Accept"), stored("", "Cache-Control: max-age=60 | Vary: Accept")}, 0, []string{
			"response 1 (status 200) does not fit: it is for Accept: \"a\", and here that is \"b\" (RFC 9111, 4.1)",
			"response 2 (status 200) does not fit: it is for Accept: absent, and here that is \"b\" (RFC 9111, 4.1)",
		}},
		{"secrets", "Cookie: sid=mine", []*Stored{stored("Cookie: sid=others", "Cache-Control: max-age=60 | Vary: Cookie")}, 0, []string{
			"response 1 (status 200) does not fit: it is for Cookie: a value that is not shown, and here that is a value that is not shown (RFC 9111, 4.1)",
		}},
		{"only if cached", "Cache-Control: only-if-cached", nil, 0, []string{"the decision is to fail: the client wants a stored response only, and none can be used (RFC 9111, 5.2.1.7)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rq := request("GET", tc.asked)
			rq.Trace = new(Trace)
			Judge(rq, tc.stored, t0.Add(tc.after))
			got := sentences(rq.Trace)
			for _, want := range tc.want {
				assert.Contains(t, got, want)
			}
			assert.NotContains(t, strings.Join(got, "\n"), "sid=")
		})
	}
}

var spans = map[time.Duration]string{
	0: "0 s", time.Microsecond: "less than 1 ms", 25 * time.Millisecond: "25 ms", 1500 * time.Millisecond: "1.5 s", time.Hour: "3600 s",
	3 * time.Hour: "3 h", 26*time.Hour + 59*time.Second: "26 h", 100 * time.Hour: "4 d 4 h", -time.Second: "-1 s", -1 << 63: "-106751 d 23 h", anyAge: "any time",
}

func TestSpan(t *testing.T) {
	for d, want := range spans {
		assert.Equal(t, want, Span(d))
	}
}

func TestStepJSON(t *testing.T) {
	rq := request("GET", "")
	rq.Trace = new(Trace)
	Judge(rq, []*Stored{{Method: "GET", Status: 200, Times: Times{t0, t0}, Date: t0, Lifetime: time.Minute, Source: SourceMaxAge}}, t0.Add(90*time.Second))
	steps, _ := rq.Trace.Steps()
	text, err := json.Marshal(steps[3])
	require.NoError(t, err)
	assert.JSONEq(t, `{"stage": "judge", "code": "stale-for", "clause": "RFC 9111, 4.2",
		"sentence": "its lifetime of 60 s (by max-age) is over: it has been stale for 30 s (RFC 9111, 4.2)",
		"values": {"lifetime": 60, "source": "max-age", "staleness": 30}}`, string(text))
	text, err = json.Marshal(steps[len(steps)-1])
	require.NoError(t, err)
	assert.Contains(t, string(text), `"reason":"stale"`)
	assert.Contains(t, string(text), `"action":"fetch"`)
}

// sentences are those of all steps; none has a gap.
func sentences(trace *Trace) (all []string) {
	steps, _ := trace.Steps()
	for _, s := range steps {
		all = append(all, s.Sentence())
	}
	return all
}

// However many variants there are, the decision is told.
func TestManyVariants(t *testing.T) {
	s := &Stored{Method: "GET", Status: 200, Times: Times{t0, t0}, Date: t0, Lifetime: time.Minute, Source: SourceMaxAge, Vary: []string{"Accept"}, VaryValues: []string{"a"}}
	stored := slices.Repeat([]*Stored{s}, 300)
	rq := request("GET", "Accept: b")
	rq.Trace = new(Trace)
	Judge(rq, stored, t0)
	got := sentences(rq.Trace)
	require.Len(t, got, 1+mostDiffering+1+1)
	assert.Equal(t, "284 others do not fit either (RFC 9111, 4.1)", got[1+mostDiffering])
	assert.Contains(t, got[len(got)-1], "the decision is to fetch")
}

// Whatever comes, a traced judgement is that of an untraced one, and every sentence
// has all its facts.
func TestTracedEqualsUntraced(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	gap := regexp.MustCompile(`\?|\{`)
	told := map[Code]bool{}
	for range 5000 {
		rules := DefaultRules()
		if rng.IntN(4) == 0 {
			rules = RFC9111Rules()
		}
		rules.HasTTL, rules.TTL = rng.IntN(8) == 0, time.Duration(rng.IntN(100))*time.Second
		rules.MinTTL, rules.MaxTTL = time.Duration(rng.IntN(3)*30)*time.Second, time.Duration(rng.IntN(3)*60)*time.Second
		rules.TypeGuard = rng.IntN(4) == 0
		if rng.IntN(4) == 0 {
			rules.StatusTTL = map[int]time.Duration{404: time.Minute, 200: time.Minute}
		}
		var stored []*Stored
		for range 1 + rng.IntN(3) {
			rq, rs := randomRequest(rng), randomResponse(rng)
			times := Times{t0, t0.Add(time.Duration(rng.IntN(3)) * time.Second)}
			want, wantWhy := Admit(rq, rs, times, &rules)
			traced := *rq
			traced.Trace = new(Trace)
			got, why := Admit(&traced, rs, times, &rules)
			require.Equal(t, want, got)
			require.Equal(t, wantWhy, why)
			requireTold(t, traced.Trace, gap, told)
			if got != nil {
				if rng.IntN(8) == 0 {
					got.EndAt(times.Received.Add(time.Second))
				}
				stored = append(stored, got)
			}
		}
		rq, now := randomRequest(rng), t0.Add(time.Duration(rng.IntN(200))*time.Second)
		want := Judge(rq, stored, now)
		rq.Trace = new(Trace)
		require.Equal(t, want, Judge(rq, stored, now))
		requireTold(t, rq.Trace, gap, told)
	}
	told[StepOthers] = true // see TestManyVariants
	for _, c := range Codes() {
		if stage := c.Info().Stage; c >= StepNothing && stage == StageLookup || stage == StageJudge || stage == StageAdmit && c >= StepGoverns && c <= StepRefused {
			assert.True(t, told[c], "no judgement tells %s (%d)", c, c)
		}
	}
}

func requireTold(t *testing.T, trace *Trace, gap *regexp.Regexp, told map[Code]bool) {
	t.Helper()
	steps, dropped := trace.Steps()
	require.Zero(t, dropped)
	for _, s := range steps {
		told[s.Code] = true
		require.NotRegexp(t, gap, s.Sentence())
	}
}

func randomFrom(rng *rand.Rand, words ...string) string { return words[rng.IntN(len(words))] }

func randomRequest(rng *rand.Rand) *Request {
	rq := request(randomFrom(rng, "GET", "GET", "GET", "HEAD", "POST"), randomFrom(rng, "", "", "Accept: a", "Accept: b", "Authorization: x",
		"Cache-Control: no-cache", "Cache-Control: max-age=5, max-stale", "Cache-Control: min-fresh=10, only-if-cached", "Accept-Language: de, en;q=0.5", "Range: bytes=0-4", "Range: bytes=2-3"))
	rq.Path = randomFrom(rng, "/", "/a.css", "")
	return rq
}

func randomResponse(rng *rand.Rand) *Response {
	var lines []string
	for _, choices := range [][]string{
		{"", "Cache-Control: max-age=60", "Cache-Control: s-maxage=30, public", "Cache-Control: no-store", "Cache-Control: private, max-age=x", "Cache-Control: max-age=x", "Cache-Control: max-age=9, stale-while-revalidate=100", "Cache-Control: no-cache=\"A\", must-understand"},
		{"", "", "Cdn-Cache-Control: max-age=20", "Cdn-Cache-Control: &"},
		{"", "Expires: {60s}", "Expires: 0"}, {"", "Etag: \"a\""}, {"", "Last-Modified: {-1000s}"}, {"", "Date: {-5s}"}, {"", "Age: 7"},
		{"", "", "Vary: Accept", "Vary: Accept-Language, Cookie", "Vary: *"}, {"", "", "", "Set-Cookie: a=b"}, {"", "Content-Type: text/css", "Content-Type: text/html"},
		{"", "Content-Range: bytes 0-9/100"}, {"", "Pragma: no-cache"}, {"", "Content-Language: de"},
	} {
		if line := randomFrom(rng, choices...); line != "" {
			lines = append(lines, line)
		}
	}
	return &Response{Status: []int{200, 200, 200, 404, 302, 206, 500}[rng.IntN(7)], Fields: fields(strings.Join(lines, " | ")), LocatesTarget: rng.IntN(2) == 0}
}

// Without a trace a judgement allocates no more than it did.
func TestUntracedAllocatesNothing(t *testing.T) {
	h := http.Header{"Accept": {"*/*"}}
	s := []*Stored{{Method: "GET", Status: 200, Times: Times{t0, t0}, Date: t0, Lifetime: time.Minute}}
	var rq Request
	now := t0.Add(time.Second)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		rq.Read(http.MethodGet, h)
		Judge(&rq, s, now)
	}))
}
