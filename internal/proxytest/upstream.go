package proxytest

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"cacheproxy/origin"
)

// upstream is the way to the origin, with what one of several servers would add:
// it may have no capacity left, or nobody to ask.
type upstream struct {
	to *origin.Origin
	at *backend
}

func (u upstream) URL() *url.URL { return u.to.URL() }

func (u upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.at.mu.Lock()
	refusal := u.at.refusal
	u.at.mu.Unlock()
	if refusal != nil {
		return nil, refusal
	}
	return u.to.RoundTrip(r)
}

// refuse is the origin statement with busy or unavailable, and for how long.
func (s *backend) refuse(how, after string) error {
	kind := map[string]origin.Failure{"busy": origin.Busy, "unavailable": origin.Unavailable}[how]
	wait, err := time.ParseDuration(after)
	if err != nil {
		return fmt.Errorf("origin %s %q: want a duration such as 5s", how, after)
	}
	s.setRefusal(&origin.Error{Failure: kind, RetryAfter: wait})
	return nil
}

func (s *backend) setRefusal(e *origin.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = e
}
