package explain

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// Bounds of the content of an answer that is read; what is longer, or never ends, is
// broken off.
const (
	MostBody = 256 << 20 // bytes
	MostTime = 30 * time.Second
)

// Run puts a request through a proxy and tells what came of it. The request counts
// like any other: it is logged, and its answer is stored if it may be. The error
// is an *Invalid, or that of the context.
func Run(ctx context.Context, p *proxy.Proxy, q Request) (Report, error) {
	var report Report
	times := 1
	if q.Twice {
		times = 2
	}
	for range times {
		r, err := q.build(ctx) // anew: the proxy changes it
		if err != nil {
			return Report{}, err
		}
		report.URL, report.Method = q.URL, r.Method
		a := ask(p, r)
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
		report.Answers = append(report.Answers, a)
	}
	return report, nil
}

// ask puts one request through the proxy.
func ask(p *proxy.Proxy, r *http.Request) Answer {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	r = r.WithContext(ctx)
	trace, w := new(policy.Trace), &discard{header: make(http.Header), room: MostBody, cancel: cancel}
	var a Answer
	func() {
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				panic(v)
			}
		}()
		p.ServeTraced(w, r, trace, func(o *proxy.Outcome) { a = NewAnswer(o) })
	}()
	a.Cut = w.end()
	now := time.Now()
	for _, s := range p.Stored(a.Key) {
		a.Stored = append(a.Stored, newStored(s, now))
	}
	return a
}

// discard is a response writer that keeps nothing, and cancels a request whose content
// goes on for too long: an event stream may be silent for any time.
type discard struct {
	header http.Header
	room   int64 // bytes that are still read
	cancel func()
	timer  *time.Timer // of the content; nil until it begins
	late   atomic.Bool // nothing is read any more
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) {
	if status >= http.StatusOK && d.timer == nil { // not an interim response
		d.timer = time.AfterFunc(MostTime, d.stop)
	}
}

func (d *discard) stop() {
	d.late.Store(true)
	d.cancel()
}

// Flush is called while content is on its way.
func (d *discard) Flush() {}

func (d *discard) Write(b []byte) (int, error) {
	if d.room -= int64(len(b)); d.room < 0 || d.late.Load() {
		return 0, http.ErrContentLength
	}
	return len(b), nil
}

// end ends the time, and reports whether content was left unread.
func (d *discard) end() (cut bool) {
	if d.timer != nil {
		d.timer.Stop()
	}
	return d.room < 0 || d.late.Load()
}

// Setup is what [Offline] works with.
type Setup struct {
	Config      *proxy.Config // routes and all
	MaxObject   int64         // bytes of a body that is stored
	MaxVariants int           // of one URL
}

// Offline is Run with a proxy of its own, which is empty and ends with it: no
// running proxy is needed, and none learns of it.
func Offline(ctx context.Context, s Setup, q Request) (Report, error) {
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 64<<20 + 2*s.MaxObject})
	if err != nil {
		return Report{}, err
	}
	defer store.Close()
	f := revalidate.New(revalidate.Options{Store: store, MaxObject: s.MaxObject, MaxVariants: s.MaxVariants})
	defer f.Close()
	return Run(ctx, proxy.New(f, s.Config, nil), q)
}
