package load

import (
	"context"
	"net/http"

	"cacheproxy/bench/report"
	"cacheproxy/bench/testorigin"
)

// Local is a built-in origin in this process.
type Local struct{ *testorigin.Origin }

// Counts returns what it counted since it was reset.
func (l Local) Counts(context.Context) (report.Origin, error) { return counts(l.Counters()), nil }

// Reset starts its counters anew.
func (l Local) Reset(context.Context) error {
	l.Origin.Reset()
	return nil
}

// Remote is a built-in origin in another process: its URL, scheme and host.
type Remote string

// Counts asks it what it counted since it was reset.
func (u Remote) Counts(ctx context.Context) (report.Origin, error) {
	c, err := testorigin.RemoteCounters(ctx, string(u))
	return counts(c), err
}

// Reset starts its counters anew.
func (u Remote) Reset(ctx context.Context) error {
	_, err := testorigin.RemoteReset(ctx, string(u))
	return err
}

func counts(c testorigin.Counters) report.Origin {
	return report.Origin{Requests: c.Requests, NotModified: c.Statuses[http.StatusNotModified], Bytes: c.BodyBytes}
}
