package proxy

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// upgrade passes on a request for another protocol, WebSocket above all, and
// joins the two connections when the origin agrees. The library does the
// joining; the request is our own as in every other case.
func (x *exchange) upgrade() {
	out := x.outgoing()
	x.withBody(out)
	rp := &httputil.ReverseProxy{
		Transport: x.route.Origin,
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL, pr.Out.Host = out.URL, out.Host
			// Rewrite runs after Connection and Upgrade were set for the origin.
			out.Header["Connection"], out.Header["Upgrade"] = pr.Out.Header["Connection"], pr.Out.Header["Upgrade"]
			pr.Out.Header = out.Header
		},
		ModifyResponse: func(resp *http.Response) error {
			x.o.Status, x.o.FwdStatus = resp.StatusCode, resp.StatusCode
			resp.Header.Add("Via", "1.1 "+x.c.Token)
			resp.Header.Set("X-Request-Id", x.o.RequestID)
			if resp.StatusCode != http.StatusSwitchingProtocols {
				x.settings.ResponseEdit.apply(resp.Header)
				policy.ApplyCookieRule(resp.Header, &x.settings.Rules)
				resp.Header.Add("Cache-Status", x.o.cacheStatus(x.c))
				if x.c.XCacheStatus {
					resp.Header.Set("X-Cache-Status", x.o.CacheResult())
				}
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) {
			x.fail(revalidate.FailureReason(err))
		},
		ErrorLog: log.New(io.Discard, "", 0), // outcomes say what happened
	}
	rp.ServeHTTP(x.w, x.r)
	if x.o.Status == 0 {
		x.o.Status = StatusClientGone
		x.o.Reason = policy.ClientGone
	}
}
