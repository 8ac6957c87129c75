package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// outgoing returns the request for the origin, which gets only what we wrote.
func (x *exchange) outgoing() *http.Request {
	r := x.r
	h := r.Header.Clone()
	policy.RemoveHopByHop(h)
	x.settings.RequestEdit.apply(h)
	if len(h["User-Agent"]) == 0 {
		h["User-Agent"] = nil // none rather than the library's
	}
	h.Add("Via", via(r.ProtoMajor, r.ProtoMinor, x.c.Token))
	h.Add("Cdn-Loop", x.c.Token)
	x.addForwarded(h)
	u := *x.target
	base := x.route.Origin.URL()
	u.Scheme, u.Host = base.Scheme, base.Host
	out := &http.Request{
		Method: r.Method, URL: &u, Header: h, Host: x.hostFor(base),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.RequestURI == "*" {
		u.Path, u.Opaque = "", "*"
	}
	return out
}

// withBody gives the request its content, which streams.
func (x *exchange) withBody(out *http.Request) {
	if x.r.ContentLength == 0 {
		return
	}
	// The library would throw away what is left of the content at the first byte
	// of the answer, under the hands of the transport that is still sending it.
	_ = http.NewResponseController(x.w).EnableFullDuplex()
	out.ContentLength = x.r.ContentLength
	out.Body = x.r.Body
	out.Trailer = x.r.Trailer
}

func (x *exchange) hostFor(base *url.URL) string {
	switch x.route.HostMode {
	case HostClient:
		return x.r.Host
	case HostOrigin:
		return base.Host
	case HostFixed:
		return x.route.HostName
	}
	if base.Scheme == "https" {
		return base.Host
	}
	return x.r.Host
}

// via is a member of Via (RFC 9110, 7.6.3).
func via(major, minor int, token string) string {
	switch {
	case major == 1 && minor == 0:
		return "1.0 " + token
	case major >= 2:
		return string(rune('0'+major)) + ".0 " + token
	}
	return "1.1 " + token
}

// looped reports whether the request has been here before (RFC 8586, 2).
func (x *exchange) looped() bool {
	for _, line := range x.r.Header["Cdn-Loop"] {
		for m := range strings.SplitSeq(line, ",") {
			id, _, _ := strings.Cut(m, ";")
			if strings.TrimSpace(id) == x.c.Token {
				return true
			}
		}
	}
	for _, line := range x.r.Header["Via"] {
		for m := range strings.SplitSeq(line, ",") {
			if f := strings.Fields(m); len(f) >= 2 && f[1] == x.c.Token {
				return true
			}
		}
	}
	return false
}

// addForwarded tells the origin about the client (RFC 7239 and the older
// fields). What an untrusted peer says of itself is replaced.
func (x *exchange) addForwarded(h http.Header) {
	client := hostOnly(x.r.RemoteAddr)
	if !x.trusted() {
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-Ip", "Forwarded"} {
			h.Del(name)
		}
	}
	h.Set("X-Forwarded-For", strings.Join(append(h["X-Forwarded-For"], strings.Trim(client, "[]")), ", "))
	if h.Get("X-Forwarded-Host") == "" {
		h.Set("X-Forwarded-Host", x.r.Host)
	}
	if h.Get("X-Forwarded-Proto") == "" {
		h.Set("X-Forwarded-Proto", x.target.Scheme)
	}
	node := client
	if strings.Contains(node, ":") {
		node = `"[` + strings.Trim(node, "[]") + `]"`
	}
	element := "for=" + node + ";host=" + quoteHost(x.r.Host) + ";proto=" + x.target.Scheme
	h.Set("Forwarded", strings.Join(append(h["Forwarded"], element), ", "))
	h.Set("X-Request-Id", x.o.RequestID)
}

// quoteHost quotes a host for Forwarded where it is not a token (RFC 7239, 4).
func quoteHost(host string) string {
	for _, c := range host {
		if c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return string(append(appendQuoted([]byte{'"'}, host), '"'))
		}
	}
	return host
}

func (x *exchange) trusted() bool {
	if len(x.c.Trusted) == 0 {
		return false
	}
	ap, err := netip.ParseAddrPort(x.r.RemoteAddr)
	if err != nil {
		return false
	}
	addr := ap.Addr().Unmap()
	return slices.ContainsFunc(x.c.Trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// requestID is a trusted peer's, or a new one.
func (x *exchange) requestID() string {
	if id := x.r.Header.Get("X-Request-Id"); id != "" && len(id) <= 128 && x.trusted() && printable(id) {
		return id
	}
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// dropCookies removes the cookies that a rule ignores from a request.
func dropCookies(h http.Header, ignore []policy.Glob) {
	if len(ignore) == 0 || len(h["Cookie"]) == 0 {
		return
	}
	var kept []string
	for _, line := range h["Cookie"] {
		for c := range strings.SplitSeq(line, ";") {
			c = strings.TrimSpace(c)
			name, _, _ := strings.Cut(c, "=")
			if c != "" && !slices.ContainsFunc(ignore, func(g policy.Glob) bool { return g.Match(name) }) {
				kept = append(kept, c)
			}
		}
	}
	delete(h, "Cookie")
	if len(kept) > 0 {
		h["Cookie"] = []string{strings.Join(kept, "; ")}
	}
}

// job describes the request to the fetcher.
func (x *exchange) job() *revalidate.Job {
	route, host, path := x.route, hostOnly(x.target.Host), x.target.Path
	settings := x.settings
	return &revalidate.Job{
		Key: x.key, Target: x.target, Facts: x.facts, Request: x.outgoing(), Origin: route.Origin,
		Resource: x.resource, Decision: x.decision,
		Alone: x.facts.Directives.Newer(),
		Arrived: func(resp *http.Response) *policy.Rules {
			s := settings
			if route.hasTypeRules() {
				s = route.settings(host, path, mediaType(resp.Header))
			}
			s.ResponseEdit.apply(resp.Header)
			policy.ApplyCookieRule(resp.Header, &s.Rules)
			return &s.Rules
		},
	}
}

func mediaType(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// fetchJob is a job whose answer may be stored: without the client's own
// conditions, so that the whole response comes back.
func (x *exchange) fetchJob() *revalidate.Job {
	j := x.job()
	j.Request.Header.Del("If-None-Match")
	j.Request.Header.Del("If-Modified-Since")
	if x.facts.Range == "" {
		j.Request.Header.Del("Range")
		j.Request.Header.Del("If-Range")
	}
	return j
}

// refreshJob is a fetch that outlives this request: it must not hold on to it.
func (x *exchange) refreshJob() *revalidate.Job {
	j := x.fetchJob()
	facts := *j.Facts
	facts.Fields = x.r.Header.Clone()
	facts.Range = "" // a refresh is for everybody
	j.Request.Header.Del("Range")
	j.Request.Header.Del("If-Range")
	j.Facts = &facts
	return j
}

// fetch asks the origin and answers with what comes of it.
func (x *exchange) fetch() {
	j := x.fetchJob()
	facts := *x.facts
	facts.Fields = x.r.Header.Clone() // a flight may outlive this request
	j.Facts = &facts
	j.Interim = x.interim
	a, err := x.p.fetcher.Do(x.r.Context(), j)
	if err != nil {
		x.failed(err)
		return
	}
	x.take(a)
	if a.Entry != nil {
		x.serveEntry(a.Entry, time.Now())
		return
	}
	x.relay(a, true)
}

// take notes in the outcome what an answer brought.
func (x *exchange) take(a *revalidate.Answer) {
	x.o.FwdStatus, x.o.OriginTime = a.FwdStatus, a.OriginTime
	x.o.Stored, x.o.Refused, x.o.Collapsed = a.Stored, a.Refused, a.Collapsed
	if a.Facts != nil {
		x.o.HasTTL, x.o.TTL = true, a.Facts.Lifetime-a.Facts.Age(time.Now())
	}
}

// failed answers after the origin failed: with a stale response where that is
// allowed, otherwise with an error of our own.
func (x *exchange) failed(err error) {
	var f *revalidate.Failure
	if !errors.As(err, &f) || f.Reason == policy.ClientGone {
		x.gone()
		return
	}
	x.o.FwdStatus = f.Status
	now := time.Now()
	if x.resource != nil && x.decision.Index >= 0 {
		e := x.resource.Entries[x.decision.Index]
		if x.decision.Reason != policy.PartialMiss && policy.OnError(x.facts, e.Stored, now) {
			x.o.Action, x.o.Reason = policy.ServeStale, policy.StaleIfError
			x.serveEntry(e, now)
			return
		}
	}
	x.fail(f.Reason)
}

// gone ends an exchange whose client left.
func (x *exchange) gone() {
	x.o.Action, x.o.Reason, x.o.Status = policy.Fail, policy.ClientGone, StatusClientGone
	x.o.Aborted = true
	panic(http.ErrAbortHandler)
}

// interim passes on a 1xx response (RFC 9110, 15.2).
func (x *exchange) interim(status int, h http.Header) {
	if !x.r.ProtoAtLeast(1, 1) || status == http.StatusSwitchingProtocols ||
		status == http.StatusContinue && x.r.Header.Get("Expect") == "" {
		return
	}
	out := x.w.Header()
	for name, lines := range h {
		out[name] = lines
	}
	x.w.WriteHeader(status)
	for name := range h { // not for the final response
		delete(out, name)
	}
}

// pass sends the request on, past the cache, and does what an unsafe method
// that succeeded does to what is stored (RFC 9111, 4.4).
func (x *exchange) pass() {
	if x.facts.Upgrade {
		x.upgrade()
		return
	}
	j := x.job()
	x.withBody(j.Request)
	j.Interim = x.interim
	edit := j.Arrived
	j.Arrived = func(resp *http.Response) *policy.Rules {
		rules := edit(resp)
		x.invalidate(resp)
		return rules
	}
	a, err := x.p.fetcher.Forward(x.r.Context(), j)
	if err != nil {
		x.passFailed(err)
		return
	}
	x.take(a)
	x.relay(a, false)
	if j.Request.Body != nil {
		// The library waits for what is left of the content before the next request.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(linger))
	}
}

// linger is how long a client may go on sending content after its answer.
const linger = 5 * time.Second

func (x *exchange) passFailed(err error) {
	var f *revalidate.Failure
	if x.r.Context().Err() != nil || errors.Is(err, context.Canceled) || !errors.As(err, &f) {
		x.gone()
	}
	x.fail(f.Reason)
}

func (x *exchange) invalidate(resp *http.Response) {
	for _, u := range policy.Invalidates(x.r.Method, x.target, resp.StatusCode, resp.Header) {
		settings := x.route.settings(hostOnly(x.target.Host), u.Path, "")
		u.RawQuery = settings.Query.Apply(u.RawQuery)
		x.p.fetcher.Invalidate(policy.Key(u))
	}
}
