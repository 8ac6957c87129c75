package proxy

import (
	"strconv"
	"time"

	"cacheproxy/policy"
)

// timings are the values of Server-Timing for answers from the store, made once.
var timings = map[string]string{"HIT": "cache;desc=HIT", "STALE": "cache;desc=STALE", "UPDATING": "cache;desc=UPDATING"}

// serverTiming is the value of Server-Timing (W3C Server Timing): what the cache
// did, in the words of X-Cache-Status; and where an origin was asked, the
// milliseconds until its response head, and those from the request to the head of
// ours.
func (o *Outcome) serverTiming(now time.Time) string {
	result := o.CacheResult()
	if o.Action == policy.Serve || o.Action == policy.ServeStale && o.Reason != policy.StaleIfError {
		return timings[result]
	}
	b := append(make([]byte, 0, 64), "cache;desc="...)
	b = append(b, result...)
	if o.OriginTime > 0 {
		b = appendMilliseconds(append(b, ", origin;dur="...), o.OriginTime)
	}
	return string(appendMilliseconds(append(b, ", total;dur="...), now.Sub(o.Start)))
}

func appendMilliseconds(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d.Round(100*time.Microsecond))/float64(time.Millisecond), 'f', -1, 64)
}
