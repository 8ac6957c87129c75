package load

import (
	"net/http"
	"strings"
)

// Result is what a cache did for a response.
type Result uint8

// The results. Hit, Stale and Collapsed spared the origin a request.
const (
	Unknown     Result = iota // no field says it
	Hit                       // from the cache, fresh
	Stale                     // from the cache, stale: it is being refreshed, or the origin failed
	Collapsed                 // came with the origin's answer to another client
	Revalidated               // the origin confirmed what was stored
	Miss                      // from the origin
	Bypass                    // from the origin, by rule or method
	resultCount
)

var resultNames = [resultCount]string{"unknown", "hit", "stale", "collapsed", "revalidated", "miss", "bypass"}

// String is the name of the result in reports.
func (r Result) String() string { return resultNames[r] }

// saved reports whether the origin was not asked for this response.
func (r Result) saved() bool { return r == Hit || r == Stale || r == Collapsed }

// noField is the name for responses without a field that tells.
const noField = "none"

// judges are the fields that tell what a cache did, the best first.
var judges = []struct {
	field string // canonical
	judge func(value string) Result
}{
	{"Cache-Status", judgeCacheStatus},
	{"X-Cache-Status", judgeWord},
	{"Cf-Cache-Status", judgeWord},
	{"Akamai-Cache-Status", judgeWord},
	{"X-Cache", judgeLastWord},
	{"Cdn-Cache", judgeWord},
	{"X-Vercel-Cache", judgeWord},
	{"X-Proxy-Cache", judgeWord},
	{"X-Varnish", judgeVarnish},
	{"Age", judgeAge},
}

// classify returns what the cache that is closest to us did, and the field that
// says so. A field whose value means nothing to us leaves it to the next.
func classify(h http.Header) (Result, string) {
	for i := range judges {
		j := &judges[i]
		values := h[j.field]
		if len(values) == 0 {
			continue
		}
		if r := j.judge(values[len(values)-1]); r != Unknown {
			return r, j.field
		}
	}
	return Unknown, noField
}

// words are what nginx, Squid and the CDNs say, in lower case.
var words = map[string]Result{
	"hit": Hit, "miss": Miss, "expired": Miss, "stale": Stale, "updating": Stale, "revalidated": Revalidated,
	"bypass": Bypass, "pass": Bypass, "dynamic": Bypass, "none": Bypass, "none/unknown": Bypass, "uncacheable": Bypass,
	"prerender": Hit, "hitstale": Stale, "refreshhit": Revalidated, "originshieldhit": Hit,
	"tcp_hit": Hit, "tcp_mem_hit": Hit, "tcp_ims_hit": Hit, "tcp_negative_hit": Hit, "tcp_offline_hit": Hit,
	"tcp_miss": Miss, "tcp_refresh_miss": Miss, "tcp_refresh_modified": Miss, "tcp_client_refresh_miss": Miss,
	"tcp_swapfail_miss": Miss, "tcp_expired_miss": Miss,
	"tcp_refresh_hit": Revalidated, "tcp_refresh_unmodified": Revalidated,
	"tcp_refresh_fail_hit": Stale, "tcp_refresh_fail_old": Stale, "tcp_stale_hit": Stale,
	"lambdageneratedresponse": Bypass, "functiongeneratedresponse": Bypass,
}

// judgeWord reads a field that begins with one of the words.
func judgeWord(value string) Result {
	end := strings.IndexAny(value, " ;,:")
	if end < 0 {
		end = len(value)
	}
	if r, ok := words[value[:end]]; ok {
		return r
	}
	return words[strings.ToLower(value[:end])]
}

// judgeLastWord reads a list with a member for each cache on the way.
func judgeLastWord(value string) Result {
	return judgeWord(lastMember(value))
}

// judgeVarnish reads X-Varnish: the number of this request, and on a hit that of
// the one which fetched the object.
func judgeVarnish(value string) Result {
	switch len(strings.Fields(value)) {
	case 1:
		return Miss
	case 2:
		return Hit
	}
	return Unknown
}

// judgeAge takes a response that has an age for a hit. One without may be
// either: an age is in whole seconds.
func judgeAge(value string) Result {
	if strings.Trim(value, "0") == "" || strings.Trim(value, "0123456789") != "" {
		return Unknown
	}
	return Hit
}
