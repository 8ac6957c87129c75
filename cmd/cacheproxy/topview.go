package main

import (
	"fmt"
	"strings"
	"time"

	"cacheproxy/policy"
)

// look is how a piece of text is shown.
type look uint8

const (
	plain look = iota
	strong
	faint
	good
	bad
)

type piece struct {
	text string
	look look
}

type line []piece

func (l line) String() string {
	var b strings.Builder
	for _, p := range l {
		b.WriteString(p.text)
	}
	return strings.TrimRight(b.String(), " ")
}

// view is what is shown of the figures.
type view struct {
	addr          string
	every         time.Duration // between figures
	ranking       int
	paused, help  bool
	width, height int   // 0 = there is no bound, as for a pipe
	failed        error // why the figures are old
}

// mostOrigins is how many lines of a screen are for origins.
const mostOrigins = 4

// lines are the screen, no longer than it is high. What is too wide is cut by whoever
// shows it.
func (v *view) lines(f *figures) []line {
	if v.help {
		all := helpLines()
		return all[:min(len(all), v.height)]
	}
	all := append([]line{v.title(f)}, summary(f)...)
	all = append(all, v.origins(f)...)
	all = append(all, nil, v.rankingLine(f), v.head())
	end := v.footer(f)
	room := v.height - len(all) - len(end)
	for i := range f.ranked.URLs {
		if v.height > 0 && i >= room {
			break
		}
		all = append(all, v.row(f, i))
	}
	if len(f.ranked.URLs) == 0 {
		all = append(all, line{{"  no requests yet", faint}})
	}
	if v.height == 0 {
		return all
	}
	for len(all)+len(end) < v.height {
		all = append(all, nil)
	}
	return append(all[:v.height-len(end)], end...)
}

func (v *view) title(f *figures) line {
	l := line{{"cacheproxy", strong}, {" " + v.addr + "  up " + span(f.overview.Uptime), plain}}
	if v.height > 0 {
		l = append(l, piece{"  every " + v.every.String(), faint})
	}
	if v.paused {
		l = append(l, piece{"  PAUSED", bad})
	}
	return l
}

// summary are the figures of the whole proxy.
func summary(f *figures) []line {
	o := &f.overview
	rate := 0.0
	requests := line{}
	for _, a := range []policy.Action{policy.Serve, policy.ServeStale, policy.Fetch, policy.Validate, policy.Pass, policy.Fail} {
		n := value(o.Now[a.String()])
		rate += n
		requests = append(requests, piece{"  " + a.String() + " ", faint}, piece{amount(n), plain})
	}
	requests = append(line{{"requests  ", faint}, {amount(rate) + "/s", strong}}, requests...)
	last, hour, total := o.Windows["5m"], o.Windows["1h"], o.Windows["total"]
	hits := line{
		{"hit ratio ", faint}, {portion(o.Now["hit_ratio"]), strong},
		{"  5m ", faint}, {portion(last.HitRatio), plain}, {"  1h ", faint}, {portion(hour.HitRatio), plain},
		{"  bytes 5m ", faint}, {portion(last.ByteRatio), plain},
		{"  saved ", faint}, {amount(float64(total.Saved)) + ", " + span(total.SavedTime) + " of origin", plain},
	}
	latency := line{{"latency   ", faint}}
	for _, name := range []string{"hit", "miss", "origin"} {
		q := o.Latency[name]
		latency = append(latency, piece{name + " ", faint}, piece{millis(q.P50) + " / " + millis(q.P99) + "  ", plain})
	}
	latency = append(latency, piece{"(p50 / p99)", faint})
	answers := line{{"answers/s ", faint}}
	for _, class := range []string{"2xx", "3xx", "4xx", "5xx"} {
		n := value(o.Now[class])
		answers = append(answers, piece{class + " ", faint}, piece{amount(n) + "  ", when(class == "5xx" && n > 0, bad)})
	}
	client := &o.Levels.Client
	if client.Alert != "" {
		answers = append(answers, piece{inert(client.Alert) + "  ", bad})
	}
	if o.Levels.Spike.Is {
		answers = append(answers, piece{"4xx spike  ", bad})
	}
	answers = append(answers,
		piece{"available ", faint}, piece{exact(client.Availability), plain},
		piece{"  budget ", faint}, piece{portion(&client.Budget), when(client.Budget < 0, bad)},
	)
	bytes, limit := value(o.Now["store_bytes"]), value(o.Now["store_limit"])
	store := line{
		{"store     ", faint}, {amount(value(o.Now["store_entries"])) + " objects", plain},
		{"  " + binary(bytes) + " of " + binary(limit), plain}, {"  " + portion(ratio(bytes, limit)), strong},
		{"  evicted ", faint}, {amount(value(o.Now["store_evicted"])), plain},
	}
	return []line{requests, hits, latency, answers, store}
}

// origins are a line for each server, as far as there is room.
func (v *view) origins(f *figures) (all []line) {
	for i, t := range f.targets {
		if v.height > 0 && i == mostOrigins-1 && len(f.targets) > mostOrigins {
			return append(all, line{{fmt.Sprintf("origin    and %d more", len(f.targets)-i), faint}})
		}
		l := line{
			{"origin    ", faint}, {fmt.Sprintf("%-9s ", inert(t.State)), when(!t.Up, bad, good)}, {inert(t.URL), plain},
			{"  busy ", faint}, {fmt.Sprintf("%d/%d", t.InFlight, t.Limit), plain},
			{"  requests ", faint}, {amount(float64(t.Requests)), plain},
		}
		for _, c := range []struct {
			name string
			n    int64
		}{{"queued", t.Queued}, {"retries", t.Retries}, {"ejections", t.Ejections}} {
			if c.n > 0 {
				l = append(l, piece{"  " + c.name + " ", faint}, piece{amount(float64(c.n)), plain})
			}
		}
		all = append(all, l)
	}
	return all
}

// rankingLine says how the URLs are ranked.
func (v *view) rankingLine(f *figures) line {
	l := line{{"URLs by ", faint}}
	for i, r := range rankings {
		switch {
		case v.height > 0:
			l = append(l, piece{fmt.Sprintf("%d %s", i+1, r.title), when(i == v.ranking, strong, faint)}, piece{"  ", plain})
		case i == v.ranking:
			l = append(l, piece{r.title + "  ", plain})
		}
	}
	if !f.ranked.Since.IsZero() {
		l = append(l, piece{"since " + f.ranked.Since.Local().Format("15:04"), faint})
	}
	return l
}

// reasonWidth is how wide the column of reasons is, 0 for none.
func (v *view) reasonWidth() int {
	switch {
	case v.width == 0 || v.width >= 110:
		return 26
	case v.width < 70:
		return 0
	}
	return 16
}

func (v *view) head() line {
	l := line{{fmt.Sprintf("%8s %8s %9s %8s  ", "REQUESTS", "MISSES", "BYTES", "ORIGIN"), faint}}
	if w := v.reasonWidth(); w > 0 {
		l = append(l, piece{fmt.Sprintf("%-*s  ", w, "WHY MISSED"), faint})
	}
	return append(l, piece{"URL", faint})
}

func (v *view) row(f *figures, i int) line {
	u := &f.ranked.URLs[i]
	l := line{{fmt.Sprintf("%8s %8s %9s %8s  ",
		amount(float64(u.Requests)), amount(float64(u.Misses)), binary(float64(u.Bytes)), millis(&u.OriginMS)), plain}}
	if w := v.reasonWidth(); w > 0 {
		reason := ""
		if len(u.Reasons) > 0 {
			reason = inert(u.Reasons[0].Reason)
			if n := len(u.Reasons) - 1; n > 0 {
				reason = cut(reason, w-3) + fmt.Sprintf(" +%d", n)
			}
		}
		l = append(l, piece{fmt.Sprintf("%-*s  ", w, cut(reason, w)), faint})
	}
	return append(l, piece{inert(u.URL), plain})
}

// footer is the last line of a screen: the keys, or what is wrong.
func (v *view) footer(f *figures) []line {
	switch {
	case v.height == 0:
		return nil
	case v.failed != nil:
		return []line{{{fmt.Sprintf("figures of %s: %s", f.at.Format("15:04:05"), inert(v.failed.Error())), bad}}}
	}
	return []line{{{"q quit   p pause   1-4 or s sort   + - interval   h help", faint}}}
}

func helpLines() []line {
	text := `cacheproxy top

  q, Esc, Ctrl-C   quit
  p, Space         pause, and go on
  1 2 3 4, s, Tab  rank URLs by requests, misses, bytes, origin time
  + -              show figures more or less often
  h, ?             this help, and back

requests   a second, by action: from the store (serve), or although stale there
           (serve-stale), asked whether it still holds (validate), fetched,
           passed by the cache (pass), answered by the proxy itself (fail)
hit ratio  of requests and of bytes; stale answers count as hits
latency    median and 99th percentile of the last hour
saved      requests that the origin was spared, and an estimate of its time
budget     what is left of the 5xx that the objective allows
ORIGIN     time that the origin took for all misses of the URL
WHY        the most frequent reason of the misses, and how many others there
           are; docs/reasons.md explains them`
	var all []line
	for row := range strings.SplitSeq(text, "\n") {
		all = append(all, line{{row, plain}})
	}
	all[0][0].look = strong
	return all
}

// when is the first look if is holds, otherwise the second, or plain.
func when(is bool, then look, otherwise ...look) look {
	switch {
	case is:
		return then
	case len(otherwise) > 0:
		return otherwise[0]
	}
	return plain
}
