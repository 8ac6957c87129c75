package upstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/origin"
)

// Upstream is a number of targets that answer the same requests.
type Upstream struct {
	o       Options // with its defaults
	targets []*target
	groups  [][]*target // the primaries; and the backups, if there are any
	rows    [600]Row    // by status; 0 = connection failures
	budget  *Budget
	jitter  func(n int64) int64 // a random number below n
	start   time.Time           // when its clock began

	turns  sync.Mutex // guards the turns of targets
	fails  sync.Mutex // held while a failure of one target is judged by how the others are
	queue  queue
	wanted atomic.Int64 // when a request last had to do without a target

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	life   sync.Mutex // guards closed, and Add of wg beside its Wait
	closed bool
	wg     sync.WaitGroup
}

// New returns an upstream, and starts its checks. Its error names all that is
// wrong with the options.
func New(o Options) (*Upstream, error) {
	o = o.withDefaults()
	err := o.validate()
	u := &Upstream{o: o, budget: o.Retry.Budget, jitter: rand.Int64N, start: time.Now()}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	var backups []*target
	for _, to := range o.Targets {
		t, fault := u.newTarget(to)
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("upstream %q: %w", o.Name, fault))
			continue
		}
		u.targets = append(u.targets, t)
		if to.Backup {
			backups = append(backups, t)
		}
	}
	if err != nil {
		u.Close()
		return nil, err
	}
	u.rows = table(o.Retry.Rows)
	u.groups = [][]*target{slices.DeleteFunc(slices.Clone(u.targets), func(t *target) bool { return t.backup })}
	if len(backups) > 0 {
		u.groups = append(u.groups, backups)
	}
	if o.Health != nil {
		u.startChecks()
	}
	return u, nil
}

// URL returns the base URL of the first target, which requests are written for.
// It must not be changed.
func (u *Upstream) URL() *url.URL { return u.targets[0].base }

// Reachable reports whether a connection to some target can be made; nil if so.
func (u *Upstream) Reachable(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error)
	for _, t := range u.targets {
		go func() { results <- t.origin.Reachable(ctx) }()
	}
	var errs []error
	for range u.targets {
		err := <-results
		if err == nil {
			cancel()
		}
		errs = append(errs, err)
	}
	if slices.Contains(errs, nil) {
		return nil
	}
	return errors.Join(errs...)
}

// Close ends checks, and closes kept connections. Those in use end with their
// requests.
func (u *Upstream) Close() {
	u.life.Lock()
	u.closed = true
	u.life.Unlock()
	u.cancel()
	u.wg.Wait()
	for _, t := range u.targets {
		t.origin.Close()
		t.anew.Close()
	}
}

// background runs f, for which Close waits. f ends with u.ctx.
func (u *Upstream) background(f func()) {
	u.life.Lock()
	defer u.life.Unlock()
	if !u.closed {
		u.wg.Go(f)
	}
}

// now is the time since the start, by a clock that is never set; it is never 0.
func (u *Upstream) now() time.Duration { return time.Since(u.start) + 1 }

// unavailable is why no target can have the request.
func (u *Upstream) unavailable() error {
	now, after, text := u.now(), never, ""
	for _, t := range u.targets {
		in, c := t.freeIn(now)
		text += "; " + t.url + " is " + c.String()
		after = min(after, in)
	}
	return &origin.Error{Failure: origin.Unavailable, RetryAfter: after, Err: fmt.Errorf("upstream %q: no target can be asked%s", u.o.Name, text)}
}
