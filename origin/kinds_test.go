package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestFailures: each has a name of its own, and one status that tells of it.
func TestFailures(t *testing.T) {
	seen := map[string]bool{}
	for f := None; f < failureCount; f++ {
		assert.False(t, seen[f.String()], "%d: %q", f, f)
		seen[f.String()] = true
		status := 0
		for of, is := range map[int]bool{502: f.Unreachable(), 503: f.NoCapacity(), 504: f.TimedOut()} {
			if is {
				assert.Zero(t, status, "%s is in two groups", f)
				status = of
			}
		}
		want := map[Failure]int{
			None: 0, Canceled: 0, // nobody is told
			Unsendable: 0, Invalid: 0, HeadTooLarge: 0, TransferCoding: 0, // 502 too, for another reason
			DNSTimeout: 504, ConnectTimeout: 504, Timeout: 504, ReadTimeout: 504, WriteTimeout: 504,
			Unavailable: 503, Busy: 503,
		}
		if other, ok := want[f]; ok {
			assert.Equal(t, other, status, "%s", f)
		} else {
			assert.Equal(t, 502, status, "%s", f)
		}
	}
	assert.Equal(t, "proxy_internal_error", failureCount.String(), "one that is none")
	assert.False(t, failureCount.Unreachable() || failureCount.TimedOut() || failureCount.NoCapacity())
}

func TestNotConnected(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, tc := range []struct {
		err  error
		want Failure
	}{
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), Refused},
		{dial(os.NewSyscallError("connect", syscall.ENOENT)), Refused},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), Unroutable},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), Unroutable},
		{dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), ConnectTimeout},
		{dial(os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)), Busy},
		{dial(os.NewSyscallError("socket", syscall.EMFILE)), Busy},
		{dial(os.NewSyscallError("connect", syscall.EAGAIN)), Busy},
		{dial(os.NewSyscallError("connect", syscall.ECONNRESET)), Terminated},
		{dial(os.ErrDeadlineExceeded), ConnectTimeout},
		{os.ErrDeadlineExceeded, ConnectTimeout},
		{dial(&net.DNSError{Err: "no such host"}), DNS},
		{dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true}), DNSTimeout},
		{errors.New("a way of one's own"), Refused},
	} {
		assert.Equal(t, tc.want.String(), notConnected(tc.err).String(), "%v", tc.err)
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	err := &Error{Failure: Busy, Target: "origin.test:80", RetryAfter: time.Second, Err: cause}
	assert.EqualError(t, err, "origin.test:80: cause")
	assert.ErrorIs(t, err, cause)
	assert.EqualError(t, &Error{Failure: Unavailable}, "destination_unavailable")
	assert.Equal(t, Busy, Classify(fmt.Errorf("wrapped: %w", err)))
	assert.Equal(t, Busy, Classify(&Error{Failure: Busy, Err: context.Canceled}), "what it says counts, not what is beneath")
	assert.Equal(t, None, Classify(nil))
	assert.Equal(t, Canceled, Classify(http.ErrBodyReadAfterClose))
	other := at("elsewhere:80", err).(*Error)
	assert.Equal(t, "elsewhere:80", other.Target)
	assert.Equal(t, time.Second, other.RetryAfter)
	assert.Equal(t, "origin.test:80", err.Target, "which is not changed")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(err)
	assert.Equal(t, Busy, Classify(ended(ctx)), "a cause that is an Error says it all")
}

// TestManyAtOnce: requests that come together while nothing is known of the origin.
func TestManyAtOnce(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		t.Run(protocol, func(t *testing.T) {
			s, o := overTLS(t, Options{}, goodTLS(protocol), func(p *peer) {
				serveHTTP(p, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
			})
			var wg sync.WaitGroup
			for n := range 40 {
				method, content := "GET", ""
				if n%2 == 0 {
					method, content = "POST", "content"
				}
				r := s.request(method, content)
				wg.Go(func() {
					for range 5 {
						if content != "" {
							r = s.request(method, content)
						}
						_, body := ask(t, o, r)
						assert.Equal(t, "ok", body)
					}
				})
			}
			wg.Wait()
		})
	}
}
