package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"cacheproxy/bench/report"
)

// Options says what to send, where, how, and what to watch meanwhile.
type Options struct {
	Target *url.URL // scheme http or https, and host; targets are whole paths
	Source Source

	HTTP2       bool          // over TLS, or in clear to servers that expect it
	TLS         *tls.Config   // for https; nil = the system's CAs
	Connections int           // 1 to 10,000; with HTTP2 up to 32 of them share one
	Rate        float64       // requests per second; 0 = closed loop
	Timeout     time.Duration // for a request, from connecting to its last byte; and in the queue
	Warmup      Part          // before the counters start anew
	Measured    Part

	Origin Origin       // its counters; nil = they cannot be asked
	Check  bool         // whether the responses are those of the built-in origin
	PID    int          // of the proxy, whose process tree is watched; 0 = none
	Bound  report.Bound // of its memory, for the report

	// Stop ends the run in good order when it is closed; the report is about
	// what was until then.
	Stop     <-chan struct{}
	Progress func(Progress) // called a few times a second; nil = not

	// Dial replaces the network, and Sleep the clock's precise sleep; for tests.
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	Sleep func(time.Duration)
}

// Progress is what can be told of a run while it lasts.
type Progress struct {
	Part     string // "warm-up" or "measured"
	Done     float64
	Requests int64
	PerSec   float64
	Ratio    float64 // hits by the fields; -1 if nothing is known
	Errors   int64
}

// Origin is the origin behind the target, which counts what reaches it.
type Origin interface {
	Counts(ctx context.Context) (report.Origin, error) // since it was reset; Ratio is left out
	Reset(ctx context.Context) error
}

// Validate returns all that is wrong with the options, a line for each mistake.
func (o *Options) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Target == nil || o.Target.Scheme != "http" && o.Target.Scheme != "https" || o.Target.Host == "" {
		bad("target: want http://host or https://host")
	} else if o.Target.Path != "" && o.Target.Path != "/" || o.Target.RawQuery != "" {
		bad("target %s: want no path, for the workload has its own", o.Target)
	}
	if o.Connections < 1 || o.Connections > 10_000 {
		bad("connections: %d is not from 1 to 10000", o.Connections)
	}
	if !(o.Rate == 0 || o.Rate >= 0.01 && o.Rate <= 1e6) {
		bad("rate: %v is not from 0.01 to 1000000 requests per second", o.Rate)
	}
	if o.Timeout < time.Millisecond || o.Timeout > time.Hour {
		bad("timeout: %s is not from 1ms to 1h", o.Timeout)
	}
	if o.Measured.empty() || o.Measured.Requests < 0 || o.Measured.Duration < 0 {
		bad("say how long to measure: a number of requests or a time")
	}
	if o.Warmup.Requests < 0 || o.Warmup.Duration < 0 {
		bad("warm-up: less than nothing")
	}
	return errors.Join(errs...)
}
