package load

import (
	"sync"
	"time"
)

// pause is how long a sender that gets no connection waits before its next
// request: to be refused takes no time, and would fill the report.
const pause = 10 * time.Millisecond

// closedLoop has each connection send its next request when the last one was
// answered. The target decides how fast that is.
func (r *run) closedLoop(f *feed, rec *recorder) {
	var wg sync.WaitGroup
	for _, s := range r.senders {
		wg.Go(func() {
			for r.ctx.Err() == nil {
				request, ok := f.next(time.Now())
				if !ok {
					return
				}
				r.send(s, rec, &job{request: request})
			}
		})
	}
	wg.Wait()
}

// send sends a request and counts what became of it.
func (r *run) send(s *sender, rec *recorder, j *job) {
	out := s.do(&j.request, j.due)
	if r.ctx.Err() != nil {
		return // it was not the target that ended it
	}
	rec.add(&out)
	if out.failure == Connect {
		time.Sleep(pause)
	}
}
