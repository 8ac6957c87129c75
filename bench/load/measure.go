package load

import (
	"context"
	"runtime"
	"strconv"

	"cacheproxy/bench/report"
)

// measure runs the measured part and writes the report. before is the state of
// the proxy before the warm-up.
func (r *run) measure(before tree) (*report.Run, error) {
	start, err := r.look()
	if err != nil {
		return nil, err
	}
	own := ownCPU()
	rec, err := r.part("measured", r.o.Measured)
	if err != nil {
		return nil, err
	}
	own = ownCPU() - own
	out := &report.Run{
		Version: report.Version, Started: rec.start.UTC(), Target: r.o.Target.String(),
		Seconds: rec.last.Sub(rec.start).Seconds(),
		Driver:  report.Usage{CPU: own.Seconds()},
		Stopped: r.halted,
	}
	out.Load = report.Load{
		Protocol: "HTTP/1.1", Connections: r.o.Connections, Rate: r.o.Rate, Warmup: r.o.Warmup.String(), Checked: r.o.Check,
		Late: rec.late, MostLate: rec.mostLate.Microseconds(),
	}
	if r.o.HTTP2 {
		out.Load.Protocol = "HTTP/2"
	}
	out.Environment = report.Environment{
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0), Server: rec.server, Via: rec.via,
	}
	if err := rec.fill(out); err != nil {
		return nil, err
	}
	r.watched(out, before, start)
	if err = r.askOrigin(out); r.ctx.Err() != nil {
		return nil, context.Cause(r.ctx)
	}
	return out, err
}

// fill writes what was counted into a report.
func (r *recorder) fill(out *report.Run) (err error) {
	out.Sent, out.Answered, out.Bytes = r.sent, r.answered, r.bytes
	for code, n := range r.status {
		if n > 0 {
			out.Statuses = append(out.Statuses, report.Count{Name: strconv.Itoa(code), Requests: n})
		}
	}
	for f := none + 1; f < failureCount; f++ {
		if n := r.failed[f].count; n > 0 {
			out.Errors = append(out.Errors, report.ErrorCount{Kind: f.String(), Requests: n, Example: r.failed[f].example})
		}
	}
	for _, j := range judges {
		if n := r.fields[j.field]; n > 0 {
			out.Fields = append(out.Fields, report.Count{Name: j.field, Requests: n})
		}
	}
	if n := r.fields[noField]; n > 0 {
		out.Fields = append(out.Fields, report.Count{Name: noField, Requests: n})
	}
	r.fillResults(out)
	out.Interval, out.Series = r.series.length.Seconds(), r.series.points()
	if out.All, err = report.NewLatency(r.all); err != nil {
		return err
	}
	if out.Hits, err = report.NewLatency(r.hits); err != nil {
		return err
	}
	out.Misses, err = report.NewLatency(r.misses)
	return err
}

// resultOrder is that of reports.
var resultOrder = [resultCount]Result{Hit, Stale, Collapsed, Revalidated, Miss, Bypass, Unknown}

func (r *recorder) fillResults(out *report.Run) {
	var all, saved tally
	for _, result := range resultOrder {
		t := r.results[result]
		if t.requests == 0 {
			continue
		}
		out.Results = append(out.Results, report.Result{Name: result.String(), Requests: t.requests, Bytes: t.bytes})
		all.requests, all.bytes = all.requests+t.requests, all.bytes+t.bytes
		if result.saved() {
			saved.requests, saved.bytes = saved.requests+t.requests, saved.bytes+t.bytes
		}
	}
	if all.requests > r.fields[noField] {
		out.ByFields = &report.Ratio{Requests: share(saved.requests, all.requests), Bytes: share(saved.bytes, all.bytes)}
	}
}

func share(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

// watched writes what the proxy took into a report.
func (r *run) watched(out *report.Run, before, start tree) {
	if r.o.PID == 0 {
		return
	}
	p := &report.Process{PID: r.o.PID, FirstRSS: before.rss, MostRSS: start.rss, LastRSS: start.rss, Bound: r.o.Bound}
	for _, s := range out.Series {
		p.CPU += s.CPU
		if s.RSS > 0 {
			p.LastRSS, p.MostRSS = s.RSS, max(p.MostRSS, s.RSS)
		}
	}
	out.Watched = p
}

// askOrigin writes what the origin counted into a report.
func (r *run) askOrigin(out *report.Run) error {
	if r.o.Origin == nil {
		return nil
	}
	if err := r.settle(); err != nil {
		return err
	}
	c, err := r.o.Origin.Counts(r.ctx)
	if err != nil {
		return err
	}
	if out.Sent > 0 {
		c.Ratio.Requests = 1 - float64(c.Requests)/float64(out.Sent)
	}
	if out.Bytes > 0 {
		c.Ratio.Bytes = 1 - float64(c.Bytes)/float64(out.Bytes)
	}
	out.Origin = &c
	return nil
}
