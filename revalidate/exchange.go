package revalidate

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"

	"cacheproxy/policy"
)

// mostInterims bounds the 1xx responses to one request.
const mostInterims = 32

// exchange sends a request and waits for the response head. Interim responses
// are handed to interim as they come, and not any more once it returns.
func (f *Fetcher) exchange(ctx context.Context, o Origin, r *http.Request, interim func(int, http.Header)) (*http.Response, policy.Times, error) {
	l := &listener{Context: ctx, tell: interim}
	defer l.leave()
	l.request = *r.WithContext(l)
	t := policy.Times{Requested: time.Now()}
	resp, err := o.RoundTrip(&l.request)
	t.Received = time.Now()
	if err != nil {
		f.tally.failed(err)
		return nil, t, err
	}
	f.tally.answered(resp.StatusCode)
	if resp.StatusCode == http.StatusSwitchingProtocols && len(r.Header["Upgrade"]) > 0 {
		return nil, t, &Switched{resp}
	}
	if text := unsuitable(resp, r.Header); text != "" {
		resp.Body.Close()
		err := &unusable{status: resp.StatusCode, target: targetOf(resp), text: text}
		f.tally.failed(err)
		return nil, t, err
	}
	clean(resp)
	return resp, t, nil
}

// unsuitable says why a response cannot be the answer to what was sent: a client
// would take it for something that it is not. It is empty when it can.
func unsuitable(resp *http.Response, sent http.Header) string {
	switch {
	case resp.StatusCode < 200: // 101 was not asked for, and there is nothing below 100
		return "this status is not that of a final response"
	case resp.StatusCode == http.StatusPartialContent && len(sent["Range"]) == 0: // RFC 9110, 15.3.7
		return "a part was sent for a request without Range"
	case resp.StatusCode == http.StatusNotModified && len(sent["If-None-Match"]) == 0 && len(sent["If-Modified-Since"]) == 0: // RFC 9110, 15.4.5
		return "not modified is no answer to a request without conditions"
	}
	return ""
}

// Switched is the error of a job whose origin accepted the protocol that was
// offered in Upgrade: its 101 is no answer to judge and pass on. The body of the
// response is the connection.
type Switched struct{ Response *http.Response }

func (*Switched) Error() string { return "the origin switched protocols" }

// targetOf returns the server that answered: host and port, or the path of a socket.
func targetOf(resp *http.Response) string {
	if resp.Request == nil || resp.Request.URL == nil {
		return ""
	}
	u := resp.Request.URL
	switch {
	case u.Port() != "", strings.HasPrefix(u.Host, "/"):
		return u.Host
	case u.Scheme == "https":
		return u.Host + ":443"
	}
	return u.Host + ":80"
}

// listener is the context of an exchange of which somebody may hear the interim
// responses. The trace that brings them is made when it is asked for, since few
// origins send any.
type listener struct {
	context.Context
	request http.Request // with this context

	mu    sync.Mutex
	tell  func(status int, h http.Header) // nil: nobody listens, or not any more
	count int
}

// Value returns what a context with the trace would.
func (l *listener) Value(key any) any {
	trace := &httptrace.ClientTrace{Got1xxResponse: l.heard}
	return httptrace.WithClientTrace(l.Context, trace).Value(key)
}

func (l *listener) AfterFunc(f func()) (stop func() bool) { return afterFunc(l.Context, f) }

func (l *listener) heard(status int, h textproto.MIMEHeader) error {
	header := http.Header(h).Clone()
	policy.RemoveHopByHop(header)
	l.mu.Lock() // the connection may still read when the client has left
	defer l.mu.Unlock()
	if l.count++; l.count > mostInterims {
		return fmt.Errorf("more than %d interim responses", mostInterims)
	}
	if l.tell != nil {
		l.tell(status, header)
	}
	return nil
}

// leave ends listening.
func (l *listener) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell = nil
}

// clean brings a response into the form that is judged and passed on.
func clean(resp *http.Response) {
	// A response to HEAD, and a 304, may carry the length of what a GET gets.
	h := resp.Header
	if resp.ContentLength >= 0 && len(h["Content-Length"]) == 0 && resp.Request.Method != http.MethodHead &&
		resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusNotModified && len(resp.TransferEncoding) == 0 {
		h["Content-Length"] = []string{strconv.FormatInt(resp.ContentLength, 10)}
	}
	policy.RemoveHopByHop(h)
}
