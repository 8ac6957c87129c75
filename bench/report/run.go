package report

import "time"

// Version is the version of the JSON form. It grows when a field changes its
// meaning or goes; new fields alone do not change it.
const Version = 1

// Run is the result of one load test. Times are in the unit that the JSON name
// ends in: s for seconds, us for microseconds. Sizes are bytes of content,
// without heads and framing.
type Run struct {
	Version     int         `json:"version"`
	Started     time.Time   `json:"started"` // of the measured part
	Command     []string    `json:"command"`
	Target      string      `json:"target"`   // base URL
	Workload    string      `json:"workload"` // spec with its seed, or the trace
	Load        Load        `json:"load"`
	Environment Environment `json:"environment"`

	Seconds  float64      `json:"measured_s"`
	Sent     int64        `json:"sent"`     // requests, but for those that got no connection
	Answered int64        `json:"answered"` // with a complete and correct response
	Bytes    int64        `json:"bytes"`    // received
	Statuses []Count      `json:"statuses"` // by status code, ascending
	Errors   []ErrorCount `json:"errors"`   // by kind
	Fields   []Count      `json:"fields"`   // by response field that told hit from miss; "none"
	Results  []Result     `json:"results"`  // by what the cache did

	// ByFields is the hit ratio as the response fields tell it: hit, stale and
	// collapsed over answered. Nil if no response had such a field.
	ByFields *Ratio  `json:"hit_ratio_by_fields,omitempty"`
	Origin   *Origin `json:"origin,omitempty"` // nil if its counters could not be asked

	All    Latency `json:"latency_all"`
	Hits   Latency `json:"latency_hits"`   // hit and stale
	Misses Latency `json:"latency_misses"` // all others that are known

	Interval float64  `json:"interval_s"` // of the series
	Series   []Point  `json:"series"`
	Driver   Usage    `json:"driver"`
	Watched  *Process `json:"watched,omitempty"` // nil if no process was watched
	Stopped  bool     `json:"stopped,omitempty"` // by the user, before its end
}

// Load is how requests were sent.
type Load struct {
	Protocol    string  `json:"protocol"` // HTTP/1.1 or HTTP/2
	Connections int     `json:"connections"`
	Rate        float64 `json:"rate_per_s,omitempty"` // 0 = closed loop
	Warmup      string  `json:"warmup"`
	Checked     bool    `json:"contents_checked"`
	Late        int64   `json:"late,omitempty"` // open loop: sent over 1 ms after they were due
	MostLate    int64   `json:"most_late_us,omitempty"`
}

// Environment is where it was measured.
type Environment struct {
	Program string   `json:"program"` // that measured, with version
	Go      string   `json:"go"`
	System  string   `json:"system"`
	CPUs    int      `json:"cpus"`             // that this process may use
	Server  string   `json:"server,omitempty"` // of the target's responses
	Via     string   `json:"via,omitempty"`
	Proxy   []string `json:"proxy,omitempty"` // the command of the proxy, if we started it
}

// Count is how many there were of something.
type Count struct {
	Name     string `json:"name"`
	Requests int64  `json:"requests"`
}

// ErrorCount is how many requests failed in one way.
type ErrorCount struct {
	Kind     string `json:"kind"`
	Requests int64  `json:"requests"`
	Example  string `json:"example"` // the first one
}

// Result is how many responses the cache made in one way: hit, stale,
// collapsed, revalidated, miss, bypass or unknown.
type Result struct {
	Name     string `json:"name"`
	Requests int64  `json:"requests"`
	Bytes    int64  `json:"bytes"`
}

// Ratio is a hit ratio from 0 to 1. It is negative if the origin sent more than
// the clients received.
type Ratio struct {
	Requests float64 `json:"requests"`
	Bytes    float64 `json:"bytes"`
}

// Origin is what the origin counted meanwhile.
type Origin struct {
	Requests    int64 `json:"requests"`
	NotModified int64 `json:"not_modified"` // of those, answered with 304
	Bytes       int64 `json:"bytes"`        // sent
	// Ratio is 1 - origin requests / sent, and 1 - origin bytes / bytes: a
	// revalidation is a request, and one that was collapsed is none.
	Ratio Ratio `json:"hit_ratio"`
}

// Latency is the distribution of the time from when a request was sent, or in an
// open loop was due, to the last byte of its response. Failed requests are not in it.
type Latency struct {
	Count       int64        `json:"count"`
	Mean        float64      `json:"mean_us"`
	Percentiles []Percentile `json:"percentiles"`
	Histogram   string       `json:"histogram"` // HdrHistogram V2, compressed, base64; in us
}

// Percentile is a time that so many percent of the requests did not exceed.
type Percentile struct {
	Percent float64 `json:"percent"`
	Micros  int64   `json:"us"`
}

// Point is what happened in one interval of the series. Latencies are 0 where
// there were no such responses.
type Point struct {
	Second   float64 `json:"end_s"` // since the start
	Requests int64   `json:"requests"`
	Saved    int64   `json:"saved"` // hit, stale and collapsed
	Errors   int64   `json:"errors"`
	Bytes    int64   `json:"bytes"`
	HitP50   int64   `json:"hit_p50_us"`
	HitP99   int64   `json:"hit_p99_us"`
	MissP50  int64   `json:"miss_p50_us"`
	MissP99  int64   `json:"miss_p99_us"`
	Origin   int64   `json:"origin_requests"`
	RSS      int64   `json:"rss"` // at the end of the interval
	CPU      float64 `json:"cpu_s"`
}

// Usage is CPU time.
type Usage struct {
	CPU        float64 `json:"cpu_s"`
	WithOrigin bool    `json:"with_origin"` // the built-in origin is part of it
}

// Process is the process tree of the proxy.
type Process struct {
	PID      int     `json:"pid"`
	CPU      float64 `json:"cpu_s"`
	FirstRSS int64   `json:"first_rss"` // before the warm-up
	MostRSS  int64   `json:"most_rss"`
	LastRSS  int64   `json:"last_rss"`
	Bound    Bound   `json:"bound,omitzero"`
}

// Bound is a level of memory that was given, not measured, and its meaning.
type Bound struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Failed returns the number of requests that failed.
func (r *Run) Failed() (n int64) {
	for _, e := range r.Errors {
		n += e.Requests
	}
	return n
}

// Best is the hit ratio that is nearest to the truth: that of the origin's
// counters, else that of the fields; nil if neither is known.
func (r *Run) Best() *Ratio {
	if r.Origin != nil {
		return &r.Origin.Ratio
	}
	return r.ByFields
}

// PerSecond is n as a rate over the measured time; 0 if that is 0.
func (r *Run) PerSecond(n int64) float64 {
	if r.Seconds <= 0 {
		return 0
	}
	return float64(n) / r.Seconds
}
