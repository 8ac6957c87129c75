package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"cacheproxy/bench/report"
)

// beat is how often a run looks at what lasts too long and what is due.
const beat = 50 * time.Millisecond

// run is a load test that goes on.
type run struct {
	o       *Options
	ctx     context.Context
	senders []*sender
	dried   bool // the source has ended
	halted  bool // Stop was closed
}

// Run sends what the options say and reports what came back. Errors are about
// what kept it from being measured; requests that failed are in the report. When
// all that fails is to ask the origin at the end, there is a report, which lacks
// its counters. When the context ends, so does the run, at once and without one.
func Run(ctx context.Context, o Options) (*report.Run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := reach(ctx, &o); err != nil {
		return nil, err
	}
	c, err := dial(&o)
	if err != nil {
		return nil, err
	}
	defer c.close()
	r := &run{o: &o, ctx: ctx}
	for _, client := range c.list {
		r.senders = append(r.senders, &sender{client: client, target: o.Target, check: o.Check, buf: make([]byte, 64<<10)})
	}
	before, err := r.look()
	if err != nil {
		return nil, err
	}
	if !o.Warmup.empty() {
		if _, err := r.part("warm-up", o.Warmup); err != nil {
			return nil, err
		}
	}
	if r.dried || r.halted {
		return nil, errors.New("nothing was measured: the run ended in its warm-up; give a shorter --warmup")
	}
	if o.Origin != nil {
		if err := r.settle(); err != nil {
			return nil, err
		}
		if err := o.Origin.Reset(ctx); err != nil {
			return nil, err
		}
	}
	return r.measure(before)
}

// reach fails if nobody at the target speaks what is to be spoken.
func reach(ctx context.Context, o *Options) error {
	addr := o.Target.Host
	if o.Target.Port() == "" {
		addr = net.JoinHostPort(o.Target.Hostname(), map[string]string{"http": "80", "https": "443"}[o.Target.Scheme])
	}
	d := o.Dial
	if d == nil {
		d = (&net.Dialer{}).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := d(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("target %s: %w", o.Target, err)
	}
	defer conn.Close()
	if o.Target.Scheme == "http" {
		return nil
	}
	config := new(tls.Config)
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.ServerName = o.Target.Hostname()
	if o.HTTP2 {
		config.NextProtos = []string{"h2", "http/1.1"} // or who lacks it would hang up
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("target %s: %w", o.Target, err)
	}
	if o.HTTP2 && secure.ConnectionState().NegotiatedProtocol != "h2" {
		return fmt.Errorf("target %s: it does not speak HTTP/2", o.Target)
	}
	return nil
}

// look is the state of the proxy's processes, if they are watched.
func (r *run) look() (tree, error) {
	if r.o.PID == 0 {
		return tree{}, nil
	}
	return watchTree(r.o.PID)
}

// settle waits until the origin is not asked any more: what a cache refreshes in
// the background belongs to the part before. A second at most.
func (r *run) settle() error {
	last := int64(-1)
	for range 20 {
		c, err := r.o.Origin.Counts(r.ctx)
		if err != nil {
			return err
		}
		if c.Requests == last {
			break
		}
		last = c.Requests
		select {
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		case <-time.After(beat):
		}
	}
	return nil
}

// part runs a part of the load to its end, all responses included.
func (r *run) part(name string, p Part) (*recorder, error) {
	start := time.Now()
	before, err := r.look()
	if err != nil {
		return nil, err
	}
	rec, f := newRecorder(start), newFeed(r.o.Source, p, start, r.o.Stop)
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { r.limit(over) })
	wg.Go(func() { r.attend(name, p, rec, before, over) })
	if r.o.Rate > 0 {
		r.openLoop(f, rec, start)
	} else {
		r.closedLoop(f, rec)
	}
	close(over)
	wg.Wait()
	r.dried, r.halted = f.dried, f.halted
	if r.ctx.Err() != nil {
		return nil, context.Cause(r.ctx)
	}
	return rec, nil
}

// limit cancels what lasts too long until the part is over.
func (r *run) limit(over <-chan struct{}) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
		}
		now := time.Now()
		for _, s := range r.senders {
			if r.ctx.Err() != nil {
				s.abort()
			}
			s.expire(now, r.o.Timeout)
		}
	}
}

// attend cuts the series and tells of the progress until the part is over. It may
// have to wait for the origin, which must not keep [run.limit] from its work.
func (r *run) attend(name string, p Part, rec *recorder, before tree, over <-chan struct{}) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			g := r.gauge(rec, before)
			rec.mu.Lock()
			defer rec.mu.Unlock()
			rec.series.finish(time.Now(), g)
			return
		case <-ticker.C:
		}
		now := time.Now()
		if now.Before(rec.series.due()) {
			continue
		}
		g := r.gauge(rec, before)
		rec.mu.Lock()
		rec.series.cut(time.Now(), g)
		rec.mu.Unlock()
		if r.o.Progress != nil {
			progress := rec.progress(now)
			progress.Part, progress.Done = name, p.done(rec.start, now, progress.Requests+progress.Errors)
			r.o.Progress(progress)
		}
	}
}

// gauge looks at origin and proxy. What cannot be asked any more stands still: an
// end of the proxy shows in the errors.
func (r *run) gauge(rec *recorder, before tree) gauge {
	g := gauge{origin: rec.series.origin, cpu: rec.series.cpu} // written by this goroutine only
	if r.o.Origin != nil {
		ctx, cancel := context.WithTimeout(r.ctx, time.Second)
		if c, err := r.o.Origin.Counts(ctx); err == nil {
			g.origin = c.Requests
		}
		cancel()
	}
	if t, err := r.look(); err == nil {
		g.rss, g.cpu = t.rss, (t.cpu - before.cpu).Seconds()
	}
	return g
}

// done is how much of the part is over, from 0 to 1.
func (p Part) done(start, now time.Time, requests int64) float64 {
	share := 0.0
	if p.Requests > 0 {
		share = float64(requests) / float64(p.Requests)
	}
	if p.Duration > 0 {
		share = max(share, float64(now.Sub(start))/float64(p.Duration))
	}
	return min(share, 1)
}

func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}
