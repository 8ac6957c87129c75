package upstream

import (
	"context"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// once makes each request one try.
var single = Retry{Attempts: 1}

// The life of a breaker: it opens after failures in a row, lets one request through
// after a while, and closes or opens for longer with that.
func TestBreakerLife(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Retry: single, Origin: origin.Options{ResponseHeader: 10 * ms}}, "a")
		w.host("a.test", always(silence))
		for i := range 5 {
			assert.Equal(w, Up, condition(u, 0), "after %d failures", i)
			assert.Equal(w, origin.Timeout, w.get(u).failure())
		}
		for i, open := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			open *= time.Second
			s := u.Targets()[0]
			assert.Equal(w, Open, s.Condition)
			assert.Equal(w, open, s.Until.Sub(s.Since))
			assert.EqualValues(w, i+1, s.Ejections)
			g := w.get(u)
			require.Equal(w, origin.Unavailable, g.failure())
			assert.Equal(w, open, g.err.RetryAfter)
			assert.Zero(w, g.took, "at once")
			time.Sleep(open - ms)
			assert.Equal(w, origin.Unavailable, w.get(u).failure())
			time.Sleep(ms)
			assert.Equal(w, origin.Timeout, w.get(u).failure(), "the trial")
		}
		assert.Len(w, w.asked(), 5+7)
		w.host("a.test", always(ok))
		time.Sleep(30 * time.Second)
		assert.Equal(w, 200, w.get(u).status)
		assert.Equal(w, Up, condition(u, 0))
		for range 4 {
			w.host("a.test", always(silence))
			w.get(u)
			w.host("a.test", always(ok))
		}
		assert.Equal(w, 200, w.get(u).status)
		w.host("a.test", always(silence))
		for range 5 {
			w.get(u)
		}
		s := u.Targets()[0]
		assert.Equal(w, time.Second, s.Until.Sub(s.Since), "from the beginning again")
	})
}

// One request is on trial, and only one, however many come.
func TestHalfOpenLetsOneThrough(t *testing.T) {
	for name, trial := range map[string]string{"passes": ok, "fails": silence} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{
					Retry: single, Ejection: Ejection{Failures: 1}, Origin: origin.Options{ResponseHeader: 10 * time.Second},
				}, "a")
				w.host("a.test", first(silence))
				w.get(u)
				w.asked()
				time.Sleep(time.Second)
				w.host("a.test", func(arrival) string { time.Sleep(5 * time.Second); return trial })
				var wg sync.WaitGroup
				results := make(chan got, 20)
				for range 20 {
					wg.Go(func() { results <- w.get(u) })
				}
				synctest.Wait()
				assert.Len(w, w.asked(), 1)
				assert.Equal(w, HalfOpen, condition(u, 0))
				assert.Len(w, results, 19)
				for range 19 {
					g := <-results
					require.Equal(w, origin.Unavailable, g.failure())
					assert.Positive(w, g.err.RetryAfter)
				}
				wg.Wait()
				if trial == ok {
					assert.Equal(w, 200, (<-results).status)
					assert.Equal(w, Up, condition(u, 0))
				} else {
					assert.Equal(w, origin.Timeout, (<-results).failure())
					assert.Equal(w, Open, condition(u, 0))
				}
			})
		})
	}
}

// A client that leaves amid the trial decides nothing; the next one is on trial.
func TestTrialThatIsGivenUp(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.one(Options{Retry: single, Ejection: Ejection{Failures: 1}})
		w.host("a.test", first("?", silence, ok))
		w.get(u)
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(w.Context())
		time.AfterFunc(time.Second, cancel)
		assert.Equal(w, origin.Canceled, w.send(u, w.request(u, "GET", "/", "").WithContext(ctx)).failure())
		assert.Equal(w, 200, w.get(u).status)
		assert.Equal(w, Up, condition(u, 0))
		assert.EqualValues(w, 1, u.Targets()[0].Ejections)
	})
}

func TestWhatOpensABreaker(t *testing.T) {
	short := "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"
	for _, tc := range []struct {
		name, answer string
		opens        bool
		failure      origin.Failure // that is counted
	}{
		{"lost", "", true, origin.Terminated},
		{"refused", refuse, true, origin.Refused},
		{"no answer in time", silence, true, origin.Timeout},
		{"not HTTP", "?", true, origin.Invalid},
		{"a body that stops", short, true, origin.ReadTimeout},
		{"500", status(500), false, 0},
		{"502", status(502), false, 0},
		{"503", status(503), false, 0},
		{"429", status(429), false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.one(Options{Retry: single})
				w.host("a.test", always(tc.answer))
				if tc.answer == refuse {
					w.refuse("a.test", refused)
				}
				for range 5 {
					w.get(u)
				}
				assert.Equal(w, tc.opens, condition(u, 0) == Open)
				if tc.opens {
					s := u.Targets()[0]
					assert.Equal(w, map[origin.Failure]int64{tc.failure: 5}, s.Failures)
					assert.NotEmpty(w, s.LastError)
				}
				w.idle(u)
			})
		})
	}
}

// Clients that leave, before the answer or amid it, never open a breaker.
func TestLeavingOpensNoBreaker(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.one(Options{})
		for _, answer := range []string{silence, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"} {
			w.host("a.test", always(answer))
			for range 10 {
				ctx, cancel := context.WithCancel(w.Context())
				time.AfterFunc(time.Second, cancel)
				w.send(u, w.request(u, "GET", "/", "").WithContext(ctx))
				ctx, cancel = context.WithTimeout(w.Context(), time.Second)
				w.send(u, w.request(u, "GET", "/", "").WithContext(ctx))
				cancel()
			}
		}
		assert.Equal(w, Up, condition(u, 0))
		assert.Empty(w, u.Targets()[0].Failures)
		w.idle(u)
	})
}

// Failures that are not in a row open nothing.
func TestSuccessBetweenFailures(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.one(Options{Retry: single})
		w.host("a.test", func(a arrival) string {
			if a.n%5 == 0 {
				return ok
			}
			return "?"
		})
		for range 50 {
			w.get(u)
		}
		assert.Equal(w, Up, condition(u, 0))
	})
}

// What began before the breaker opened says nothing about the target since.
func TestOldResultsDoNotCount(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.one(Options{Retry: single, Ejection: Ejection{Failures: 2}})
		w.host("a.test", func(a arrival) string {
			switch {
			case a.n <= 4:
				time.Sleep(10 * time.Second)
				return "?"
			case a.n <= 6:
				return "?"
			}
			return ok
		})
		for range 4 {
			go w.get(u)
		}
		synctest.Wait()
		w.get(u)
		w.get(u)
		assert.Equal(w, Open, condition(u, 0))
		time.Sleep(2 * time.Second)
		assert.Equal(w, 200, w.get(u).status)
		time.Sleep(10 * time.Second) // the four fail
		assert.Equal(w, Up, condition(u, 0))
		assert.EqualValues(w, 6, u.Targets()[0].Failures[origin.Invalid], "they are counted all the same")
	})
}

// Answers that make no sense, or break off, do not take the only target from all others.
func TestAnAnswerOfTheOnlyTargetOpensNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		opens  bool
	}{
		"lost": {"", false}, "not HTTP": {"?", false}, "a body that stops": {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", false},
		"no answer in time": {silence, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{Retry: single}, "a")
				w.host("a.test", always(tc.answer))
				for range 6 {
					w.get(u)
				}
				assert.Equal(w, tc.opens, condition(u, 0) == Open)
				assert.NotEmpty(w, u.Targets()[0].LastError)
				w.idle(u)
			})
		})
	}
}

// A trial of the only target that brings an answer which is none ends all the same: the
// target is there, and gets requests again.
func TestATrialOfTheOnlyTargetEnds(t *testing.T) {
	for _, answer := range []string{"", "?"} {
		bubble(t, func(w *world) {
			u := w.upstream(Options{Retry: single, Ejection: Ejection{Failures: 2}}, "a")
			w.host("a.test", always(silence))
			w.get(u)
			w.get(u)
			assert.Equal(w, Open, condition(u, 0))
			time.Sleep(time.Second)
			w.host("a.test", always(answer))
			assert.NotEqual(w, origin.Unavailable, w.get(u).failure(), "the trial")
			assert.Equal(w, Up, condition(u, 0))
			w.host("a.test", always(ok))
			assert.Equal(w, 200, w.get(u).status)
			w.idle(u)
		})
	}
}

// Who asks, however often, for a URL that is slow or kills its answer does not take the
// targets from those who ask for others.
func TestOneURLDoesNotTakeTheTargetsFromOthers(t *testing.T) {
	for name, answer := range map[string]string{"lost": "", "not HTTP": "?", "no answer in time": silence} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{}, "a", "b")
				for _, host := range []string{"a.test", "b.test"} {
					w.host(host, func(a arrival) string {
						if a.uri == "/poison" {
							return answer
						}
						return ok
					})
				}
				end := time.Now().Add(3 * time.Minute)
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() {
						for time.Now().Before(end) {
							w.send(u, w.request(u, "GET", "/poison", ""))
							time.Sleep(250 * ms)
						}
					})
				}
				for time.Now().Before(end) {
					require.Equal(w, 200, w.get(u).status)
					time.Sleep(time.Second)
				}
				wg.Wait()
				w.idle(u)
			})
		})
	}
}

// A trial that takes long does not keep all others away: there is another one each time.
func TestAnotherTrialWhileOneTakesLong(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Retry: single, Ejection: Ejection{Failures: 1}}, "a")
		w.host("a.test", first(silence, silence))
		w.get(u)
		time.Sleep(time.Second)
		late := make(chan got)
		go func() { late <- w.get(u) }()
		synctest.Wait()
		g := w.get(u)
		require.Equal(w, origin.Unavailable, g.failure())
		assert.Equal(w, 2*time.Second, g.err.RetryAfter)
		time.Sleep(2 * time.Second)
		assert.Equal(w, 200, w.get(u).status)
		assert.Equal(w, Up, condition(u, 0))
		assert.Equal(w, origin.Timeout, (<-late).failure())
		assert.Equal(w, Up, condition(u, 0), "it was asked before")
		w.idle(u)
	})
}

// Without failures that eject, nothing opens.
func TestNoEjection(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.one(Options{Retry: single, Ejection: Ejection{Failures: -1}})
		w.host("a.test", always("?"))
		for range 100 {
			w.get(u)
		}
		assert.Equal(w, Up, condition(u, 0))
	})
}

// A target that nobody could connect to is found again long before its time, but only
// while somebody asks for it.
func TestConnectionsAreTriedWhileOpen(t *testing.T) {
	for _, traffic := range []bool{true, false} {
		bubble(t, func(w *world) {
			u := w.upstream(Options{Retry: single, Ejection: Ejection{Failures: 2, Time: 30 * time.Second}}, "a")
			w.refuse("a.test", refused)
			w.get(u)
			w.get(u)
			assert.Equal(w, Open, condition(u, 0))
			before := w.dials("a.test")
			if !traffic {
				time.Sleep(lately + time.Second)
				before = w.dials("a.test")
				time.Sleep(15 * time.Second)
				assert.Equal(w, before, w.dials("a.test"))
				return
			}
			for range 5 {
				assert.Equal(w, origin.Unavailable, w.get(u).failure())
				time.Sleep(time.Second)
			}
			assert.Positive(w, w.dials("a.test")-before)
			w.refuse("a.test", nil)
			time.Sleep(time.Second + ms)
			assert.Equal(w, 200, w.get(u).status)
		})
	}
}

// A target that connects and then fails is not asked before its time.
func TestConnectionsAreNotTriedForOtherFailures(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.one(Options{Retry: single, Ejection: Ejection{Failures: 2, Time: 30 * time.Second}})
		w.host("a.test", always("?"))
		w.get(u)
		w.get(u)
		dials := w.dials("a.test")
		for range 20 {
			w.get(u)
			time.Sleep(time.Second)
		}
		assert.Equal(w, dials, w.dials("a.test"))
		assert.Equal(w, Open, condition(u, 0))
	})
}

// With all targets out of order a request fails at once, and says when to come again.
func TestAllTargetsDown(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Retry: single}, "a", "b", "+c")
		for _, name := range []string{"a.test", "b.test", "c.test"} {
			w.refuse(name, refused)
		}
		for range 15 {
			assert.Equal(w, origin.Refused, w.get(u).failure())
		}
		w.asked()
		for _, method := range []string{"GET", "POST"} {
			g := w.send(u, w.request(u, method, "/", "x"))
			require.Equal(w, origin.Unavailable, g.failure())
			assert.Equal(w, time.Second, g.err.RetryAfter)
			assert.Zero(w, g.took)
			assert.ErrorContains(w, g.err, `upstream "app": no target can be asked; http://a.test is open; http://b.test is open; http://c.test is open`)
			assert.Empty(w, g.err.Target)
		}
		assert.Empty(w, w.asked())
	})
}

// Backups get nothing while a primary is up, and everything while none is.
func TestBackups(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Retry: single}, "a", "b", "+c")
		for range 4 {
			w.get(u)
		}
		assert.Equal(w, []string{"a", "b", "a", "b"}, hosts(w.asked()))
		u.targets[0].hold(time.Minute)
		w.get(u)
		assert.Equal(w, []string{"b"}, hosts(w.asked()))
		u.targets[1].hold(time.Minute)
		w.get(u)
		w.get(u)
		assert.Equal(w, []string{"c", "c"}, hosts(w.asked()))
		time.Sleep(time.Minute)
		w.get(u)
		assert.NotEqual(w, []string{"c"}, hosts(w.asked()))
	})
}

func TestReachable(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a", "b")
		assert.NoError(w, u.Reachable(w.Context()))
		w.refuse("a.test", refused)
		assert.NoError(w, u.Reachable(w.Context()), "one is enough")
		w.refuse("b.test", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH})
		err := u.Reachable(w.Context())
		require.Error(w, err)
		assert.Equal(w, 2, strings.Count(err.Error(), "\n")+1, "both say why: %s", err)
		w.refuse("b.test", nil)
		w.deafen("a.test")
		start := time.Now()
		assert.NoError(w, u.Reachable(w.Context()))
		assert.Zero(w, time.Since(start), "the slow one is not waited for")
	})
}
