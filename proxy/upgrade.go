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
}

// answered is the transport of a response that is here already.
type answered struct{ resp *http.Response }

func (a answered) RoundTrip(*http.Request) (*http.Response, error) { return a.resp, nil }

// join joins the connections of client and origin until one of them ends. The
// library does it.
func (x *exchange) join(resp *http.Response) {
	if !httpguts.HeaderValuesContainsToken([]string{x.offered}, resp.Header.Get("Upgrade")) {
		resp.Body.Close()
		x.fail(policy.OriginInvalid)
		return
	}
	x.leave() // it holds none of the origin's answers any more, only its own connections
	x.p.upgrades.begin()
	defer x.p.upgrades.end()
	x.o.Status, x.o.FwdStatus = resp.StatusCode, resp.StatusCode
	upgrade := resp.Header["Upgrade"]
	policy.RemoveHopByHop(resp.Header)
	resp.Header["Connection"], resp.Header["Upgrade"] = []string{"Upgrade"}, upgrade
	x.settings.ResponseEdit.apply(resp.Header)
	resp.Header.Add("Via", "1.1 "+x.c.Token)
	resp.Header.Set("X-Request-Id", x.o.RequestID)
	rp := &httputil.ReverseProxy{
		Transport: answered{resp},
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.Header["Upgrade"] = upgrade // one of several offers
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { // the 101 did not reach the client
			resp.Body.Close()
			x.gone()
		},
		ErrorLog: log.New(io.Discard, "", 0), // outcomes say what happened
	}
	rp.ServeHTTP(x.w, x.r)
}
