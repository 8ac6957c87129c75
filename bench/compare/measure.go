package main

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// When others took more than this share of one CPU, it is measured again; the
// least disturbed attempt counts.
const (
	attempts  = 3
	disturbed = 0.1
)

// steady measures a scenario in which the same load goes on for some seconds.
func (r *run) steady(ctx context.Context, p *pair, s scenario, sm *sample) error {
	n := s.objects
	if s.want == passes {
		n = 1 // only to see that it works
	}
	if err := warm(ctx, r.client, s, p.base(s.proto), n); err != nil {
		return err
	}
	for attempt := range attempts {
		next := sample{Mode: sm.Mode, Round: sm.Round, Peer: sm.Peer, Scenario: sm.Scenario}
		r.awaitQuiet(ctx)
		if err := r.once(ctx, p, s, &next); err != nil {
			return err
		}
		wrong := next.Bad > 0 || len(next.Problems) > 0
		if attempt == 0 || wrong || next.Others/next.Seconds < sm.Others/sm.Seconds {
			*sm = next
		}
		// What went wrong once is told, not tried again.
		if wrong || sm.Others <= disturbed*sm.Seconds {
			break
		}
	}
	return nil
}

// once is an attempt.
func (r *run) once(ctx context.Context, p *pair, s scenario, sm *sample) error {
	base := p.base(s.proto)
	// The first second is not measured: memory grows, code and caches get warm.
	if _, _, err := r.generators.run(ctx, s, base, 1, p.site.Workers); err != nil {
		return err
	}
	before, err := originCounts(ctx, r.client, p.originBase)
	if err != nil {
		return err
	}
	l, err := p.account(sm, func() (load, time.Duration, error) {
		return r.generators.run(ctx, s, base, r.options.secs, p.site.Workers)
	})
	if err != nil {
		return err
	}
	after, err := originCounts(ctx, r.client, p.originBase)
	if err != nil {
		return err
	}
	sm.Origin = after[s.kind].Requests - before[s.kind].Requests
	sm.NotModified = after[s.kind].NotModified - before[s.kind].NotModified
	sm.P50, sm.P99 = milliseconds(l.p50), milliseconds(l.p99)
	sm.Problems = problems(p.peer, s, *sm, l)
	return nil
}

// stampedeRuns is how many stampedes make a sample.
const stampedeRuns = 3

// stampede measures clients that come at once. What their connections cost is
// not counted, only what follows the word.
func (r *run) stampede(ctx context.Context, p *pair, s scenario, sm *sample) error {
	want := content(objects[s.kind].size)
	r.awaitQuiet(ctx)
	for i := range stampedeRuns + 1 {
		var scratch sample
		into := sm
		if i == 0 {
			into = &scratch // the first is not measured: memory grows
		}
		before, err := originCounts(ctx, r.client, p.originBase)
		if err != nil {
			return err
		}
		l, err := p.charge(ctx, s, into, i, want)
		if err != nil {
			return err
		}
		after, err := originCounts(ctx, r.client, p.originBase)
		if err != nil {
			return err
		}
		into.Origin += after[s.kind].Requests - before[s.kind].Requests
		into.OriginEach = append(into.OriginEach, after[s.kind].Requests-before[s.kind].Requests)
		into.P50, into.P99 = max(into.P50, milliseconds(l.p50)), max(into.P99, milliseconds(l.p99))
	}
	if slices.Min(sm.OriginEach) == 0 {
		sm.Problems = append(sm.Problems, "a cold key was answered without the origin")
	}
	return nil
}

func (p *pair) charge(ctx context.Context, s scenario, sm *sample, n int, want []byte) (load, error) {
	h, err := gather(ctx, addr(p.site.Port), s.conns)
	if err != nil {
		return load{}, err
	}
	defer h.close()
	if err := pause(ctx, 300*time.Millisecond); err != nil { // until all are accepted
		return load{}, err
	}
	runtime.GC() // not in the middle of it
	return p.account(sm, func() (load, time.Duration, error) {
		return h.charge(s.path(n), want), 0, nil
	})
}

// awaitQuiet waits until the machine is nearly idle, for as long as the options
// allow. How quiet it was then is in every sample.
func (r *run) awaitQuiet(ctx context.Context) {
	const look, share = 300 * time.Millisecond, 0.15
	for end := time.Now().Add(r.options.quiet); time.Now().Before(end); {
		before, err := machineCPU()
		if err != nil || pause(ctx, look) != nil {
			return
		}
		after, err := machineCPU()
		if err != nil || (after-before).Seconds() < share*look.Seconds()*float64(r.cpus) {
			return
		}
	}
}

// pause waits, unless the run is to end.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
