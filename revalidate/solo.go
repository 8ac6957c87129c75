package revalidate

import (
	"context"

	"cacheproxy/policy"
)

// solo gets an answer for a job whose answer nobody else may have, as far as is
// known: the caller does the flight's work up to the response head, without
// anybody to hand it to. Should the answer be worth storing after all, the rest
// is a flight like any other.
func (f *Fetcher) solo(ctx context.Context, j *Job) (*Answer, error) {
	f.mu.Lock()
	if f.life.Err() != nil {
		f.mu.Unlock()
		return nil, &Failure{Reason: policy.ClientGone, Err: errClosed}
	}
	f.renew(j)
	fl := newFlight(f, "", j)
	f.list(fl)
	f.wg.Add(1) // so that Close waits for it, and what follows may launch
	f.mu.Unlock()
	defer f.wg.Done()
	f.started.Add(1)
	f.waiting.Add(1)
	carry, stays := fl.askFor(ctx, j)
	f.waiting.Add(-1)
	switch {
	case carry == nil:
		fl.cancelIfIdle()
		f.land(fl)
	default:
		f.launch(fl, func() {
			defer fl.cancelIfIdle()
			carry()
		})
	}
	if !stays {
		fl.leave(true)
		return nil, ctx.Err()
	}
	if carry != nil {
		return fl.wait(ctx, j, true)
	}
	return fl.answer(ctx, j, true)
}

// askFor is ask for a client, whose leaving ends the flight. It reports whether
// the client has stayed.
func (fl *flight) askFor(ctx context.Context, j *Job) (carry func(), stays bool) {
	if l, ok := ctx.(*Life); ok {
		fl.client.run = fl.cancel
		l.watch(&fl.client)
		carry = fl.ask(j, j.Interim)
		return carry, fl.client.stop()
	}
	stop := context.AfterFunc(ctx, fl.cancel)
	carry = fl.ask(j, j.Interim)
	return carry, stop()
}
