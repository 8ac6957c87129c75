package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
)

// accepted makes an exchange of an operator's word about a URL, which nobody waits
// for; twin is for the same URL with the other scheme. The error says what is wrong
// with the URL or the header, or why it is never stored.
func (p *Proxy) accepted(ctx context.Context, text string, header http.Header, twin bool) (*exchange, error) {
	r, err := refreshRequest(text, header)
	if err != nil {
		return &exchange{}, err
	}
	if twin {
		r.TLS = overTLS(r.TLS == nil)
	}
	x := &exchange{p: p, c: p.config.Load(), w: nowhere{}, r: r.WithContext(ctx)}
	x.o.Start, x.o.RequestID = time.Now(), randomID()
	why := x.accept()
	if why == policy.ReasonNone {
		why = policy.Passes(x.facts, &x.settings.Rules)
	}
	if why != policy.ReasonNone {
		return x, fmt.Errorf("%s: %s", text, why.Info().Text)
	}
	return x, nil
}

// again is the exchange of the same request with another header.
func (x *exchange) again(header http.Header) *exchange {
	r := *x.r
	r.Header = header
	own := &exchange{p: x.p, c: x.c, w: x.w, r: &r}
	own.o.Start, own.o.RequestID = time.Now(), randomID()
	own.accept() // as before: the header has no say in that
	return own
}

// refreshRequest makes the request that a client would send.
func refreshRequest(text string, header http.Header) (*http.Request, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%.200q is no URL: %w", text, err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%.200q is no URL to fetch: write it with scheme and host, such as http://shop.example.com/page", text)
	case u.User != nil || strings.Contains(text, "#"):
		return nil, fmt.Errorf("%.200q has user information or a fragment: leave it out", text)
	}
	target := u.RequestURI()
	if strings.IndexFunc(target, func(c rune) bool { return c <= ' ' || c >= 0x7f }) >= 0 {
		return nil, fmt.Errorf("%.200q has a space or a letter that is not ASCII in its query: encode it, as in %%20", text)
	}
	path, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("%.200q is no URL: %w", text, err)
	}
	h := http.Header{}
	for name, lines := range header {
		canonical := http.CanonicalHeaderKey(name)
		if !httpguts.ValidHeaderFieldName(name) || ours[canonical] {
			return nil, fmt.Errorf("the field %.100q cannot be sent: use one such as Accept-Encoding or Cookie", name)
		}
		for _, line := range lines {
			if !httpguts.ValidHeaderFieldValue(line) {
				return nil, fmt.Errorf("the value of %s has a line end or control character", canonical)
			}
			h[canonical] = append(h[canonical], line)
		}
	}
	r := &http.Request{
		Method: http.MethodGet, URL: path, RequestURI: target, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:0",
	}
	r.TLS = overTLS(u.Scheme == "https")
	return r, nil
}

// overTLS is what a server says of a connection.
func overTLS(is bool) *tls.ConnectionState {
	if is {
		return new(tls.ConnectionState)
	}
	return nil
}

// ours are fields of a request that this side writes itself, or that ask for something
// else than the whole response.
var ours = map[string]bool{
	"Host": true, "Connection": true, "Content-Length": true, "Transfer-Encoding": true, "Te": true, "Trailer": true,
	"Upgrade": true, "Expect": true, "Keep-Alive": true, "Proxy-Connection": true, "Via": true, "Cdn-Loop": true, "Max-Forwards": true,
	"Range": true, "If-Range": true, "If-Match": true, "If-None-Match": true, "If-Modified-Since": true, "If-Unmodified-Since": true,
}

// nowhere is the client of a request that nobody waits for.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}
