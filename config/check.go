package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The checks of single values. Their errors say what is wrong and what to write;
// the caller puts the key in front.

func checkOrigin(s string) error {
	if s == "" {
		return errors.New("is empty; write the origin's address, for example http://127.0.0.1:3000")
	}
	if path, isSocket := strings.CutPrefix(s, "unix:"); isSocket {
		return checkSocket(path)
	}
	if strings.Contains(s, "@") { // not repeated: a password does not belong into logs
		return errors.New("must not hold a user or password; send them with request_headers if the origin wants them")
	}
	if !strings.Contains(s, "://") {
		return fmt.Errorf("%q has no scheme; write http://%s", s, s)
	}
	u, err := url.Parse(s)
	if err != nil {
		return errors.New("is not a valid URL; write for example http://127.0.0.1:3000")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q: scheme %q is not supported; use http or https, or unix:/path for a socket", s, u.Scheme)
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") {
		return fmt.Errorf("%q must have no path, query or fragment; write %s://%s", s, u.Scheme, u.Host)
	}
	if err := checkHost(u.Hostname()); err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	if port := u.Port(); port != "" {
		return checkPort(port, 1)
	}
	if strings.HasSuffix(u.Host, ":") {
		return fmt.Errorf("%q: no port after the colon; write one or delete the colon", s)
	}
	return nil
}

// checkSocket accepts the path of a Unix socket, which the kernel keeps short.
func checkSocket(path string) error {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return fmt.Errorf("%q is not the absolute path of a socket; write for example unix:/run/app.sock", "unix:"+path)
	}
	if len(path) > 103 {
		return fmt.Errorf("path of a socket of %d bytes is too long; at most 103 are possible", len(path))
	}
	if strings.ContainsAny(path, "?#%") {
		return fmt.Errorf("%q holds ?, # or %%; give the socket another name", "unix:"+path)
	}
	return checkText(path)
}

func checkListen(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not an address; write host:port, or :port for all interfaces, for example :8080", s)
	}
	if host != "" {
		if err := checkHost(host); err != nil {
			return err
		}
	}
	return checkPort(port, 0)
}

func checkAdminListen(s string) error {
	if s == "off" {
		return nil
	}
	if err := checkListen(s); err != nil {
		return fmt.Errorf("%w (off is for no admin side)", err)
	}
	return nil
}

func checkPort(s string, least int) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || int(n) < least {
		return fmt.Errorf("port %q is not a number from %d to 65535", s, least)
	}
	return nil
}

// checkHost accepts an IP address (IPv6 without brackets) or a host name.
func checkHost(s string) error {
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if s == "" {
		return errors.New("no host; write one, for example 127.0.0.1")
	}
	if len(s) > 253 {
		return fmt.Errorf("host of %d characters is too long; at most 253 are possible", len(s))
	}
	last := ""
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, hostLetters) != "" ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return fmt.Errorf("%q is not a host name or IP address", s)
		}
		last = label
	}
	if strings.Trim(last, "0123456789") == "" { // no top-level domain: a broken IPv4 address
		return fmt.Errorf("%q is not a host name or IP address", s)
	}
	return nil
}

const (
	hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	tokenMarks  = "!#$%&'*+-.^_`|~"
)

// overlap holds for two addresses that cannot both be listened on.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || isWildcard(hostA) || isWildcard(hostB)
}

func isWildcard(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

// isLoopback holds for addresses that only this machine can reach.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is neither an IP address nor a CIDR; write for example 10.0.0.0/8 or 192.0.2.7", s)
	}
	if p.Addr().Is4In6() {
		return p, fmt.Errorf("%q is IPv4 inside IPv6; write it as IPv4, for example 10.0.0.0/8", s)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q has address bits behind its length; write %s", s, p.Masked())
	}
	return p, nil
}

// isToken is RFC 9110, 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && !strings.Contains(tokenMarks, s[i:i+1]) {
			return false
		}
	}
	return s != ""
}

func checkToken(s string) error {
	if !isToken(s) {
		return fmt.Errorf("%q is not a token; use letters, digits and %s only", s, tokenMarks)
	}
	return nil
}

// checkStructuredToken is for names in structured fields, which start with a
// letter (RFC 9651, 3.3.4; also : and / are fine there, but not worth offering).
func checkStructuredToken(s string) error {
	if !isToken(s) || !unicode.IsLetter(rune(s[0])) {
		return fmt.Errorf("%q is not a name for Cache-Status; begin with a letter and use letters, digits and %s only", s, tokenMarks)
	}
	return nil
}

// checkFieldValue is RFC 9110, 5.5: what may stand in a header line.
func checkFieldValue(s string) error {
	if strings.ContainsAny(s, "\r\n\x00") {
		return fmt.Errorf("%q holds a line break or NUL; a header value is one line", s)
	}
	for i := range len(s) {
		if s[i] < 0x20 && s[i] != '\t' || s[i] == 0x7f {
			return fmt.Errorf("%q holds a control character; delete it", s)
		}
	}
	if strings.Trim(s, " \t") != s {
		return fmt.Errorf("%q begins or ends with white space; delete it", s)
	}
	return nil
}

// checkSecret does not repeat the value, since errors end up in logs.
func checkSecret(s string) error {
	for i := range len(s) {
		if s[i] <= 0x20 || s[i] >= 0x7f {
			return errors.New("must be visible ASCII characters without spaces, as it travels in a header")
		}
	}
	return nil
}

// checkText is for names and paths that go nowhere but to the system.
func checkText(s string) error {
	if s == "" {
		return errors.New("is empty; give it a value or delete the key")
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("%q holds a control character or broken UTF-8; delete it", s)
	}
	return nil
}

func checkDuration(d, least, most Duration) error {
	if d < least || d > most {
		return fmt.Errorf("%s is out of range; use %s to %s", d, least, most)
	}
	return nil
}

func checkCacheSize(s CacheSize) error {
	if !s.isShare() && (s < 1<<20 || s > 1<<40) {
		return fmt.Errorf("%s is out of range; use 1MiB to 1TiB", s)
	}
	return nil
}

func checkSize(s, least, most Size) error {
	if s < least || s > most {
		return fmt.Errorf("%s is out of range; use %s to %s", s, least, most)
	}
	return nil
}
