package load

import (
	"errors"
	"sync"
	"time"

	"cacheproxy/bench/workload"
)

// job is a request that is due at a time; the zero time stands for now.
type job struct {
	request workload.Request
	due     time.Time
}

// coarse is the part of a wait that is left to the precise sleep.
const coarse = 3 * time.Millisecond

// mostQueued bounds the memory of the queue.
const mostQueued = 1 << 18

// openLoop sends requests at fixed times, as clients do that know nothing of
// each other. Latency counts from when a request was due: what waits because the
// target stalls has waited for the target. A request that finds no connection
// within the timeout is given up.
func (r *run) openLoop(f *feed, rec *recorder, start time.Time) {
	room := min(r.o.Rate*r.o.Timeout.Seconds()+1, mostQueued)
	queue := make(chan job, int(room))
	var wg sync.WaitGroup
	for _, s := range r.senders {
		wg.Go(func() {
			for j := range queue {
				switch now := time.Now(); {
				case r.ctx.Err() != nil:
				case now.Sub(j.due) > r.o.Timeout:
					rec.add(givenUp(&j, now))
				default:
					r.send(s, rec, &j)
				}
			}
		})
	}
	r.pace(f, rec, start, queue)
	close(queue)
	wg.Wait()
}

// pace puts each request into the queue when it is due. If the queue is full,
// the request is given up at once.
func (r *run) pace(f *feed, rec *recorder, start time.Time, queue chan<- job) {
	for n := 0; r.ctx.Err() == nil; n++ {
		due := start.Add(time.Duration(float64(n) / r.o.Rate * float64(time.Second)))
		r.until(due)
		request, ok := f.next(due)
		if !ok {
			return
		}
		j := job{request, due}
		select {
		case queue <- j:
		default:
			rec.add(givenUp(&j, time.Now()))
		}
	}
}

// until waits for a time, or for the end of the run.
func (r *run) until(due time.Time) {
	if d := time.Until(due) - coarse; d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.o.Stop:
			return
		case <-r.ctx.Done():
			return
		}
	}
	sleep := r.o.Sleep
	if sleep == nil {
		sleep = preciseSleep
	}
	for d := time.Until(due); d > 0; d = time.Until(due) {
		sleep(d)
	}
}

var errQueue = errors.New("no connection was free in time; more --connections, or a lower --rate")

func givenUp(j *job, now time.Time) *sample {
	return &sample{start: j.due, sent: now, end: now, failure: Queue, err: errQueue}
}
