package proxy

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strings"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// offers returns the protocols that a client offers to go on with, but for
// other versions of HTTP and for TLS: those concern its connection to us, and
// would lead past the cache (RFC 9110, 7.8; HTTP/1.0 has no Upgrade). With
// content still to come nobody could tell where the other protocol begins.
func offers(r *http.Request) string {
	if r.ContentLength != 0 || r.ProtoMajor != 1 || r.ProtoMinor == 0 || len(r.Header["Upgrade"]) == 0 || !httpguts.HeaderValuesContainsToken(r.Header["Connection"], "upgrade") {
		return ""
	}
	var kept []string
	for _, line := range r.Header["Upgrade"] {
		for m := range strings.SplitSeq(line, ",") {
			m = strings.TrimSpace(m)
			name, _, _ := strings.Cut(strings.ToLower(m), "/")
			if name != "" && name != "h2" && name != "h2c" && name != "http" && name != "tls" {
				kept = append(kept, m)
			}
		}
	}
	return strings.Join(kept, ", ")
}

// offerUpgrade passes the offer on to the origin.
func (x *exchange) offerUpgrade(j *revalidate.Job) {
	j.Request.Header["Connection"] = []string{"Upgrade"}
	j.Request.Header["Upgrade"] = []string{x.offered}
	j.Origin = switcher{j.Origin}
}

// switcher is an origin that may accept the offer. Its 101 is no answer to
// judge and pass on, so it comes as the error *switched.
type switcher struct{ revalidate.Origin }

func (s switcher) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.Origin.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, &switched{resp}
	}
	return resp, err
}

// switched holds an origin's 101, whose body is the connection.
type switched struct{ resp *http.Response }

func (s *switched) Error() string { return "the origin switched protocols" }

// RoundTrip returns the response that is here already.
func (s *switched) RoundTrip(*http.Request) (*http.Response, error) { return s.resp, nil }

// join joins the connections of client and origin until one of them ends. The
// library does it.
func (x *exchange) join(s *switched) {
	if !httpguts.HeaderValuesContainsToken([]string{x.offered}, s.resp.Header.Get("Upgrade")) {
		s.resp.Body.Close()
		x.fail(policy.OriginInvalid)
		return
	}
	x.p.upgrades.begin()
	defer x.p.upgrades.end()
	x.o.Status, x.o.FwdStatus = s.resp.StatusCode, s.resp.StatusCode
	upgrade := s.resp.Header["Upgrade"]
	policy.RemoveHopByHop(s.resp.Header)
	s.resp.Header["Connection"], s.resp.Header["Upgrade"] = []string{"Upgrade"}, upgrade
	x.settings.ResponseEdit.apply(s.resp.Header)
	s.resp.Header.Add("Via", "1.1 "+x.c.Token)
	s.resp.Header.Set("X-Request-Id", x.o.RequestID)
	rp := &httputil.ReverseProxy{
		Transport: s,
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.Header["Upgrade"] = upgrade // one of several offers
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { // the 101 did not reach the client
			s.resp.Body.Close()
			x.gone()
		},
		ErrorLog: log.New(io.Discard, "", 0), // outcomes say what happened
	}
	rp.ServeHTTP(x.w, x.r)
}
