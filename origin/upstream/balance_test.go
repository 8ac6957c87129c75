package upstream

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In each cycle every target has exactly its share, and they alternate.
func TestRoundRobin(t *testing.T) {
	for _, tc := range []struct {
		names []string
		want  string
	}{
		{[]string{"a", "b", "c"}, "abcabc"},
		{[]string{"a:5", "b:1", "c:1"}, "aabacaaaabacaa"},
		{[]string{"a:2", "b:1"}, "abaaba"},
		{[]string{"a", "b", "+c"}, "abab"},
	} {
		bubble(t, func(w *world) {
			u := w.upstream(Options{}, tc.names...)
			for range tc.want {
				assert.Equal(w, 200, w.get(u).status)
			}
			assert.Equal(w, tc.want, strings.Join(hosts(w.asked()), ""))
		})
	}
}

// Whatever the weights: after a cycle each has had its weight, and at no time is one
// a whole turn ahead of or behind what is due to it.
func TestRoundRobinIsExact(t *testing.T) {
	for _, weights := range [][]int{{1}, {1, 1}, {3, 5}, {1, 2, 3, 4}, {100, 1, 1}, {7, 7, 7, 2, 9}} {
		u := &Upstream{}
		var list []*target
		total := 0
		for _, weight := range weights {
			list = append(list, &target{weight: weight})
			total += weight
		}
		had := map[*target]int{}
		for n := 1; n <= 3*total; n++ {
			had[u.next(list)]++
			for i, c := range list {
				due := float64(n*c.weight) / float64(total)
				require.Less(t, math.Abs(float64(had[c])-due), 2.0, "%v, target %d after %d", weights, i, n)
			}
			if n%total == 0 {
				for i, c := range list {
					require.Equal(t, n/total*c.weight, had[c], "%v, target %d", weights, i)
				}
			}
		}
	}
}

// The next request goes where the fewest are under way for the weight.
func TestLeastRequests(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Balance: LeastRequests}, "a:2", "b:1")
		const begun = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbegi"
		w.host("a.test", always(begun))
		w.host("b.test", always(begun))
		var open []io.Closer
		for range 9 {
			resp, err := u.RoundTrip(w.request(u, "GET", "/", ""))
			require.NoError(w, err)
			open = append(open, resp.Body)
		}
		s := u.Targets()
		assert.Equal(w, []int{6, 3}, []int{s[0].InFlight, s[1].InFlight})
		for i, a := range w.asked() { // all of a end
			if a.host == "a.test" {
				open[i].Close()
			}
		}
		for range 4 {
			resp, err := u.RoundTrip(w.request(u, "GET", "/", ""))
			require.NoError(w, err)
			open = append(open, resp.Body)
		}
		assert.Equal(w, []string{"a", "a", "a", "a"}, hosts(w.asked()))
		for _, c := range open {
			c.Close()
		}
		w.idle(u)
	})
}

func targets(names string, weights ...int) (list []*target) {
	for i, name := range strings.Split(names, "") {
		c := &target{url: name, weight: 1, seed: hash("http://" + name + ".test")}
		if weights != nil {
			c.weight = weights[i]
		}
		list = append(list, c)
	}
	return list
}

const keys = 20000

func key(i int) uint64 { return hash(fmt.Sprintf("www.example.com\n/item/%d", i)) }

// Keys are shared out by the weights.
func TestHashFollowsTheWeights(t *testing.T) {
	for _, weights := range [][]int{{1, 1, 1, 1}, {1, 2, 3, 4}, {10, 1, 1, 1}} {
		list, had, total := targets("abcd", weights...), map[*target]int{}, 0
		for i := range keys {
			had[rendezvous(list, key(i))]++
		}
		for _, c := range list {
			total += c.weight
		}
		for _, c := range list {
			due := float64(keys*c.weight) / float64(total)
			assert.InEpsilon(t, due, float64(had[c]), 0.1, "%v, %s", weights, c.url)
		}
	}
}

// When a target goes, its keys move and no other does; those spread over all others.
func TestHashMovesOnlyTheKeysOfTheTargetThatGoes(t *testing.T) {
	all := targets("abcdefgh")
	left := append(append([]*target{}, all[:3]...), all[4:]...)
	moved := map[*target]int{}
	for i := range keys {
		before, after := rendezvous(all, key(i)), rendezvous(left, key(i))
		if before != all[3] {
			require.Same(t, before, after)
			continue
		}
		moved[after]++
	}
	total := 0
	for _, c := range left {
		total += moved[c]
		assert.InEpsilon(t, float64(keys)/8/7, float64(moved[c]), 0.25, c.url)
	}
	assert.InEpsilon(t, keys/8, total, 0.1)
}

// The same in every process: several proxies agree.
func TestHashIsStable(t *testing.T) {
	list := targets("abcd")
	var got strings.Builder
	for i := range 16 {
		got.WriteString(rendezvous(list, key(i)).url)
	}
	assert.Equal(t, stableChoice, got.String())
}

const stableChoice = "cbcacacddcdcacab"

// A key goes to its target, to another one while that is out of order or has no slot
// free, and back again.
func TestHashByRequest(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Balance: Hash, MaxRequests: 1}, "a", "b", "c")
		home := w.get(u).target
		for range 5 {
			assert.Equal(w, home, w.get(u).target)
		}
		i := strings.Index("abc", home[:1])
		u.targets[i].hold(time.Second)
		second := w.get(u).target
		assert.NotEqual(w, home, second)
		assert.Equal(w, second, w.get(u).target)
		time.Sleep(time.Second)
		assert.Equal(w, home, w.get(u).target)

		w.host(home, always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbegi"))
		resp, err := u.RoundTrip(w.request(u, "GET", "/", ""))
		require.NoError(w, err)
		assert.Equal(w, second, w.get(u).target, "while all slots of the first are taken")
		resp.Body.Close()
	})
}

func TestKey(t *testing.T) {
	of := func(host, url string) uint64 {
		r, err := http.NewRequest("GET", url, nil)
		require.NoError(t, err)
		r.Host = host
		return keyOf(r)
	}
	same := of("h", "http://a.test/x?q")
	assert.Equal(t, same, of("h", "http://b.test/x?q"), "the target is not part of it")
	for _, other := range []uint64{
		of("g", "http://a.test/x?q"), of("h", "http://a.test/x"), of("h", "http://a.test/x?"), of("h", "http://a.test/y?q"),
		of("h", "http://a.test/%78?q"), of("", "http://a.test/x?q"),
	} {
		assert.NotEqual(t, same, other)
	}
}
