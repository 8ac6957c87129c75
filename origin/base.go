package origin

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
)

// base is where an origin is.
type base struct {
	url     *url.URL // scheme and host of requests; of a socket the host is its path
	network string   // tcp or unix
	target  string   // host and port, or the path of a socket
	host    string   // without the port; "" for a socket
	port    string
}

// mostPath is the longest path of a Unix socket that all systems take.
const mostPath = 103

func parseBase(text string) (base, error) {
	const want = "want http://host, https://host or unix:/path"
	u, err := url.Parse(text)
	if err != nil {
		return base{}, fmt.Errorf("origin %q: %s: %w", text, want, err)
	}
	if u.Scheme == "unix" {
		return parseSocket(text, u)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return base{}, fmt.Errorf("origin %q: %s", text, want)
	}
	if !validHost(withoutZone(u.Host)) {
		return base{}, fmt.Errorf("origin %q: %s with a name in ASCII (xn--...)", text, want)
	}
	b := base{url: u, network: "tcp", host: u.Hostname(), port: u.Port()}
	if b.port == "" {
		b.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	b.target = net.JoinHostPort(b.host, b.port)
	return b, nil
}

func parseSocket(text string, u *url.URL) (base, error) {
	name := u.Path
	switch {
	case u.Host != "" || u.Opaque != "" || !path.IsAbs(name) || u.RawQuery != "" || u.Fragment != "":
		return base{}, fmt.Errorf("origin %q: want unix:/path with the absolute path of a socket", text)
	case len(name) > mostPath:
		return base{}, fmt.Errorf("origin %q: the path of a socket has at most %d bytes; use a shorter one", text, mostPath)
	case strings.ContainsRune(name, 0):
		return base{}, fmt.Errorf("origin %q: the path of a socket cannot hold NUL", text)
	}
	return base{url: &url.URL{Scheme: "http", Host: name}, network: "unix", target: name}, nil
}
