package report

import (
	"fmt"
	"math"
)

// notes are what a reader must know before he believes the numbers.
func (r *Run) notes() (out []string) {
	note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.Stopped {
		note("It was stopped before its end.")
	}
	for _, e := range r.Errors {
		note("%s failed (%s). The first: %s", plural(e.Requests, "request"), e.Kind, e.Example)
	}
	r.ratioNote(note)
	if r.missing() {
		note("Most answers are 404: the target does not have the objects of the workload. Let it ask the built-in origin (--origin-listen), or replay a log of its own (--trace).")
	}
	if r.Load.Late > 0 {
		note("%s of the requests were sent over 1 ms after they were due, at most %s ms: no connection was free, or the driver had no CPU. That time is in the latencies.",
			share(r.Load.Late, r.Sent), millis(float64(r.Load.MostLate)))
	}
	if got := r.PerSecond(r.Answered + r.Failed()); r.Load.Rate > 0 && got < 0.95*r.Load.Rate {
		note("The rate was %s requests/s instead of %s: target or driver could not keep up.", figure(got), figure(r.Load.Rate))
	}
	r.busyNote(note)
	return out
}

// ratioNote explains what the two hit ratios mean, where they differ.
func (r *Run) ratioNote(note func(string, ...any)) {
	if r.ByFields == nil || r.Origin == nil {
		if r.ByFields == nil && r.Answered > 0 {
			note("No response field told hits from misses.")
		}
		return
	}
	d, b := r.ByFields.Requests-r.Origin.Ratio.Requests, r.ByFields.Bytes-r.Origin.Ratio.Bytes
	if math.Abs(d) < 0.0005 && math.Abs(b) < 0.0005 {
		return
	}
	note("Responses and origin differ by %s (requests) and %s (bytes) percentage points. Believe the origin: it counts all that it was asked, refreshes in the background and repeats too, and whole objects where clients got a part, a head or a 304.",
		points(d), points(b))
}

// points writes a difference of ratios in percentage points.
func points(d float64) string {
	if s := fmt.Sprintf("%+.1f", 100*d); s != "-0.0" && s != "+0.0" {
		return s
	}
	return "0.0"
}

// missing reports whether most of what was asked for does not exist.
func (r *Run) missing() bool {
	for _, s := range r.Statuses {
		if s.Name == "404" {
			return 2*s.Requests > r.Answered
		}
	}
	return false
}

// busyNote warns when the driver may have been what was measured.
func (r *Run) busyNote(note func(string, ...any)) {
	if r.Seconds <= 0 {
		return
	}
	used, what := r.Driver.CPU, "The driver"
	if r.Watched != nil {
		used, what = used+r.Watched.CPU, "Proxy and driver"
	}
	if busy := used / r.Seconds; busy > 0.85*float64(r.Environment.CPUs) {
		note("%s kept %s of %d CPUs busy: throughput and latency are what this machine gives to both. Hit ratios are not touched by that.",
			what, figure(busy), r.Environment.CPUs)
	}
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}
