package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard lets only operators through, except to the probes of load balancers,
// which tell others no more than a verdict.
func guard(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		if why := foreign(r, token); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		if !authorized(r, token) {
			h.Set("WWW-Authenticate", `Bearer realm="cacheproxy"`)
			http.Error(w, "this path needs the admin token: send Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// operator reports whether a request is one of an operator's own.
func operator(r *http.Request, token string) bool {
	return foreign(r, token) == "" && authorized(r, token)
}

// foreign says why a request may be the doing of a web page that an operator looks
// at: of another site, or of one whose name leads to this address (DNS
// rebinding). Without a token the listener is for this machine only, so that
// nobody needs another name for it.
func foreign(r *http.Request, token string) string {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return "this is not for pages of other sites: open it by itself"
	}
	if origins := r.Header["Origin"]; len(origins) > 0 && !(len(origins) == 1 && isOwn(origins[0], r.Host)) {
		return "this is not for pages of other origins: open it by itself"
	}
	if token == "" && !isLocal(r.Host) {
		return "without an admin token this is for localhost, 127.0.0.1 and [::1] only: use one of them, or set admin.token"
	}
	return ""
}

// isOwn reports whether an origin (RFC 6454, 7) is that of the host asked for. A
// tunnel in front may speak TLS.
func isOwn(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.EqualFold(u.Host, host)
}

// isLocal reports whether a Host field names this machine as such.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// authorized compares digests, which takes equally long whatever was sent.
func authorized(r *http.Request, token string) bool {
	if token == "" {
		return true
	}
	scheme, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(sent))), sha256.Sum256([]byte(token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
