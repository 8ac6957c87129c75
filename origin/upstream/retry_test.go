package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// hosts are the targets that were asked, in order.
func hosts(log []arrival) (list []string) {
	for _, a := range log {
		list = append(list, strings.TrimSuffix(a.host, ".test"))
	}
	return list
}

// Full jitter: each wait is anywhere up to its bound, and not beyond.
func TestBackoffIsFullJitter(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Retry: Retry{Attempts: 6, Time: time.Minute, Max: 500 * ms, Budget: NewBudget(10, -1)}}, "a")
		w.host("a.test", always(status(502)))
		bounds := []time.Duration{100 * ms, 200 * ms, 400 * ms, 500 * ms, 500 * ms}
		longest, total := make([]time.Duration, 5), make([]time.Duration, 5)
		const rounds = 200
		for range rounds {
			assert.Equal(w, 502, w.get(u).status)
			log := w.asked()
			require.Len(w, log, 6)
			for i := range bounds {
				gap := log[i+1].at - log[i].at
				require.LessOrEqual(w, gap, bounds[i])
				longest[i], total[i] = max(longest[i], gap), total[i]+gap
			}
		}
		for i, bound := range bounds {
			assert.Greater(w, longest[i], bound*8/10, "wait %d comes near its bound", i+1)
			assert.InDelta(w, float64(bound)/2, float64(total[i])/rounds, float64(bound)/8, "wait %d is half of it in the middle", i+1)
		}
	})
}

// The second try goes to another target.
func TestAnotherTargetIsPreferred(t *testing.T) {
	for _, tc := range []struct {
		name, answer, method string
		want                 []string
		wait                 bool // before the second try
		held                 bool // the first target is left alone
	}{
		{"lost, GET", "", "GET", []string{"a", "b"}, true, false},
		{"lost, POST", "", "POST", []string{"a"}, false, false},
		{"refused, GET", refuse, "GET", []string{"b"}, false, false},
		{"refused, POST", refuse, "POST", []string{"b"}, false, false},
		{"502, PUT", status(502), "PUT", []string{"a", "b"}, true, false},
		{"503 for a minute, GET", status(503, "Retry-After", "60"), "GET", []string{"a", "b"}, false, true},
		{"503 for a second, GET", status(503, "Retry-After", "1"), "GET", []string{"a", "b"}, false, true},
		{"503 for a minute, POST", status(503, "Retry-After", "60"), "POST", []string{"a"}, false, true},
		{"408, GET", status(408), "GET", []string{"a", "b"}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{}, "a", "b")
				u.jitter = func(n int64) int64 { return n - 1 }
				w.host("a.test", always(tc.answer))
				if tc.answer == refuse {
					w.refuse("a.test", refused)
				}
				g := w.send(u, w.request(u, tc.method, "/", "content"))
				log := w.asked()
				assert.Equal(w, tc.want, hosts(log))
				if len(tc.want) == 2 || tc.answer == refuse {
					assert.Equal(w, "b.test", g.target)
					assert.Equal(w, "content", log[len(log)-1].content)
				}
				assert.Equal(w, tc.wait, g.took > 0)
				assert.Equal(w, tc.held, condition(u, 0) == Held)
				w.idle(u)
			})
		})
	}
}

// A target that has asked to be left alone gets nothing for that time, and a
// backup serves if there is no other.
func TestHeldTargetIsReplacedByItsBackup(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a", "+b")
		w.host("a.test", first(status(503, "Retry-After", "60")))
		assert.Equal(w, "b.test", w.get(u).target)
		time.Sleep(59 * time.Second)
		assert.Equal(w, "b.test", w.get(u).target)
		time.Sleep(time.Second)
		assert.Equal(w, "a.test", w.get(u).target)
		assert.Equal(w, []string{"a", "b", "b", "a"}, hosts(w.asked()))
	})
}

func TestHoldIsBounded(t *testing.T) {
	for _, value := range []string{"86400", "99999999999999999999999", date(24 * time.Hour)} {
		bubble(t, func(w *world) {
			u := w.upstream(Options{}, "a")
			w.host("a.test", first(status(429, "Retry-After", value)))
			assert.Equal(w, 429, w.get(u).status)
			g := w.get(u)
			require.Equal(w, origin.Unavailable, g.failure())
			assert.Equal(w, 5*time.Minute, g.err.RetryAfter, value)
			assert.ErrorContains(w, g.err, "http://a.test is held")
			time.Sleep(5 * time.Minute)
			assert.Equal(w, 200, w.get(u).status)
		})
	}
}

// The try after a 408 takes a new connection though others are kept.
func TestTimeoutOfTheRequestIsRetriedOnANewConnection(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a")
		w.host("a.test", func(arrival) string { time.Sleep(time.Second); return ok })
		for range 2 {
			go w.get(u)
		}
		time.Sleep(2 * time.Second) // and now two connections are kept
		w.asked()
		w.host("a.test", first(status(408)))
		assert.Equal(w, 200, w.get(u).status)
		log := w.asked()
		require.Len(w, log, 2)
		assert.Equal(w, 3, log[1].conn, "a third connection")
	})
}

// A small answer that nobody gets leaves its connection to the next try.
func TestDiscardedAnswerKeepsItsConnection(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a")
		w.host("a.test", first(status(502)))
		assert.Equal(w, 200, w.get(u).status)
		log := w.asked()
		require.Len(w, log, 2)
		assert.Equal(w, log[0].conn, log[1].conn)
	})
}

func TestAttempts(t *testing.T) {
	for attempts := 1; attempts <= 5; attempts++ {
		bubble(t, func(w *world) {
			u := w.upstream(Options{Retry: Retry{Attempts: attempts, Time: time.Minute}}, "a")
			w.host("a.test", always(status(504)))
			assert.Equal(w, 504, w.get(u).status)
			assert.Len(w, w.asked(), attempts)
			assert.EqualValues(w, attempts-1, u.Targets()[0].Retries)
		})
	}
}

// A wait that would go past the end of the request is not begun.
func TestWaitsEndWithTheRequest(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a")
		w.host("a.test", always(status(503, "Retry-After", "2")))
		ctx, cancel := context.WithTimeout(w.Context(), 1500*ms)
		defer cancel()
		g := w.send(u, w.request(u, "GET", "/", "").WithContext(ctx))
		assert.Equal(w, 503, g.status)
		assert.Zero(w, g.took)
		assert.Equal(w, Held, condition(u, 0))
	})
}

func TestClientLeavesWhileWaiting(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a")
		w.host("a.test", always(status(503, "Retry-After", "2")))
		ctx, cancel := context.WithCancel(w.Context())
		time.AfterFunc(time.Second, cancel)
		g := w.send(u, w.request(u, "PUT", "/", "content").WithContext(ctx))
		require.Equal(w, origin.Canceled, g.failure())
		assert.Equal(w, time.Second, g.took)
		assert.Len(w, w.asked(), 1)
		w.idle(u)
	})
}

func TestRowsCanBeChanged(t *testing.T) {
	for _, tc := range []struct {
		name   string
		rows   map[int]Row
		answer string
		want   int
		took   time.Duration
	}{
		{"500 at once", map[int]Row{500: Now}, status(500), 3, 0},
		{"503 never, and no hold", map[int]Row{503: Never}, status(503, "Retry-After", "1"), 1, 0},
		{"502 by its field", map[int]Row{502: AfterRetryAfter}, status(502, "Retry-After", "1"), 3, 2 * time.Second},
		{"503 by backoff", map[int]Row{503: Backoff}, status(503, "Retry-After", "60"), 3, 300 * ms},
		{"no connection, never", map[int]Row{0: Never}, "", 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{Retry: Retry{Rows: tc.rows}}, "a")
				u.jitter = func(n int64) int64 { return n - 1 }
				w.host("a.test", always(tc.answer))
				g := w.get(u)
				assert.Len(w, w.asked(), tc.want)
				assert.Equal(w, tc.took, g.took)
				assert.Equal(w, tc.rows[502] == AfterRetryAfter, condition(u, 0) == Held)
			})
		})
	}
}

// Who has waited in vain for one target waits for another one only if that does not
// double the time.
func TestTimeoutsOfOurs(t *testing.T) {
	for _, tc := range []struct {
		name    string
		head    time.Duration
		targets []string
		want    []string
	}{
		{"short, another", time.Second, []string{"a", "b"}, []string{"a", "b"}},
		{"short, alone", time.Second, []string{"a"}, []string{"a"}},
		{"long, another", time.Minute, []string{"a", "b"}, []string{"a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{Origin: origin.Options{ResponseHeader: tc.head}}, tc.targets...)
				w.host("a.test", always(silence))
				g := w.get(u)
				assert.Equal(w, tc.want, hosts(w.asked()))
				if len(tc.want) == 1 {
					require.Equal(w, origin.Timeout, g.failure())
					assert.Equal(w, "a.test:80", g.err.Target)
				}
			})
		})
	}
}

func TestNoConnectionInTimeGoesToAnotherTarget(t *testing.T) {
	for _, tc := range []struct {
		targets []string
		dials   int
	}{{[]string{"a", "b"}, 1}, {[]string{"a"}, 1}} {
		bubble(t, func(w *world) {
			u := w.upstream(Options{}, tc.targets...)
			w.deafen("a.test")
			g := w.send(u, w.request(u, "POST", "/", "content"))
			assert.Equal(w, 5*time.Second, g.took)
			assert.Equal(w, tc.dials, w.dials("a.test"))
			if len(tc.targets) == 2 {
				assert.Equal(w, "b.test", g.target)
			} else {
				require.Equal(w, origin.ConnectTimeout, g.failure())
			}
		})
	}
}

// Interim answers come through, also of tries that nobody gets the answer of.
func TestInterimAnswersPassOn(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a")
		hints := "HTTP/1.1 103 Early Hints\r\nLink: <%d>\r\n\r\n"
		w.host("a.test", first(fmt.Sprintf(hints, 1)+status(502), fmt.Sprintf(hints, 2)+ok))
		var links []string
		trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			links = append(links, h.Get("Link"))
			return nil
		}}
		r := w.request(u, "GET", "/", "")
		assert.Equal(w, 200, w.send(u, r.WithContext(httptrace.WithClientTrace(r.Context(), trace))).status)
		assert.Equal(w, []string{"<1>", "<2>"}, links)
	})
}

// A call of the client's code that panics leaves nothing behind.
func TestPanicOfAHook(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a")
		w.host("a.test", always("HTTP/1.1 103 Early Hints\r\n\r\n"+ok))
		trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { panic("hook") }}
		r := w.request(u, "GET", "/", "")
		assert.Panics(w, func() { _, _ = u.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace))) })
		w.idle(u)
	})
}

// When the breaker opens with the last failure, there is nothing to wait for.
func TestNoWaitForAnOpenTarget(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Ejection: Ejection{Failures: 2}}, "a")
		u.jitter = func(n int64) int64 { return n - 1 }
		w.refuse("a.test", refused)
		g := w.get(u)
		require.Equal(w, origin.Refused, g.failure(), "why, and not only that nobody is there")
		assert.Equal(w, 100*ms, g.took)
		assert.Equal(w, 2, w.dials("a.test"))
	})
}

// Requests are written for the target: Host is, where the request names none.
func TestHostOfTheTarget(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a", "b")
		r := w.request(u, "GET", "/path?q", "")
		r.Host = ""
		before := *r.URL
		w.send(u, r)
		w.send(u, r)
		r.Host = "a.test"
		w.send(u, r)
		w.send(u, r)
		var names []string
		for _, a := range w.asked() {
			names = append(names, a.host+" "+a.name+a.uri)
		}
		assert.Equal(w, []string{
			"a.test a.test/path?q", "b.test b.test/path?q", "a.test a.test/path?q", "b.test a.test/path?q",
		}, names)
		assert.Equal(w, before, *r.URL, "the request is not changed")
	})
}

// A connection that goes on with another protocol takes no slot any more.
func TestUpgrade(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 1}, "a")
		w.host("a.test", first("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"))
		r := w.request(u, "GET", "/", "")
		r.Header = http.Header{"Upgrade": {"echo"}, "Connection": {"Upgrade"}}
		resp, err := u.RoundTrip(r)
		require.NoError(w, err)
		assert.Equal(w, 101, resp.StatusCode)
		assert.Implements(w, (*io.ReadWriteCloser)(nil), resp.Body)
		w.idle(u)
		assert.Equal(w, 200, w.get(u).status)
		resp.Body.Close()
	})
}

func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tc := range []struct {
		lines []string
		date  string
		want  time.Duration
		ok    bool
	}{
		{nil, "", 0, false},
		{[]string{"0"}, "", 0, true},
		{[]string{"120"}, "", 2 * time.Minute, true},
		{[]string{"301"}, "", 5 * time.Minute, true},
		{[]string{"18446744073709551616"}, "", 5 * time.Minute, true},
		{[]string{"-1"}, "", 0, false},
		{[]string{"+1"}, "", 0, false},
		{[]string{"1.5"}, "", 0, false},
		{[]string{""}, "", 0, false},
		{[]string{"soon"}, "", 0, false},
		{[]string{"1", "2"}, "", 0, false},
		{[]string{at(90 * time.Second)}, "", 90 * time.Second, true},
		{[]string{at(-time.Hour)}, "", 0, true},
		{[]string{at(time.Hour)}, "", 5 * time.Minute, true},
		{[]string{at(90 * time.Second)}, at(time.Minute), 30 * time.Second, true}, // by the origin's clock
	} {
		h := http.Header{}
		if tc.lines != nil {
			h["Retry-After"] = tc.lines
		}
		if tc.date != "" {
			h.Set("Date", tc.date)
		}
		wait, ok := retryAfter(h, now)
		assert.Equal(t, tc.ok, ok, "%q", tc.lines)
		assert.Equal(t, tc.want, wait, "%q", tc.lines)
	}
}
