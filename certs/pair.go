package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Pair names two PEM files: a certificate, followed by what stands between it and
// its root, and its key. One file may hold both.
type Pair struct{ Cert, Key string }

// Files are the two files, as [Pair.Parse] takes their texts.
func (p Pair) Files() []File { return []File{{"certificate", p.Cert}, {"key", p.Key}} }

// Load reads the pair. The error names the file at fault and what to do.
func (p Pair) Load() (*tls.Certificate, error) {
	texts, err := readAll(p.Files())
	if err != nil {
		return nil, err
	}
	return p.Parse(texts)
}

// Parse makes a certificate of what the files hold. Its Leaf is set.
func (p Pair) Parse(texts [][]byte) (*tls.Certificate, error) {
	cert, key := texts[0], texts[1]
	if findBlock(cert, "CERTIFICATE") == nil {
		return nil, noCertificate(p.Files()[0])
	}
	block := findBlock(key, "PRIVATE KEY")
	if block == nil {
		return nil, fmt.Errorf("key: %s holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)", p.Key)
	}
	if strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
		return nil, fmt.Errorf("key: %s is encrypted; decrypt it, for example with openssl pkey -in %s -out FILE", p.Key, p.Key)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err == nil && pair.Leaf == nil { // as GODEBUG can ask for
		pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	}
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %s; the certificate that the key was made for must come first",
			p.Cert, p.Key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &pair, nil
}

const soonEnded = 14 * 24 * time.Hour // before a certificate's end

// WarnOfDates warns of a certificate that the others refuse, or soon will.
func WarnOfDates(log *slog.Logger, leaf *x509.Certificate) {
	warn := func(what string) {
		log.Warn(what, "names", leaf.DNSNames, "from", leaf.NotBefore, "until", leaf.NotAfter)
	}
	now := time.Now()
	switch {
	case now.After(leaf.NotAfter):
		warn("a certificate has expired; it will be refused")
	case now.Before(leaf.NotBefore):
		warn("a certificate is not valid yet; it will be refused")
	case leaf.NotAfter.Sub(now) < soonEnded:
		warn("a certificate expires within 14 days")
	}
}
