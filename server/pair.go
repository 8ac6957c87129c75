package server

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
)

const (
	maxPEM    = 1 << 20             // bytes of a file
	soonEnded = 14 * 24 * time.Hour // before a certificate's end
)

// Pair names two PEM files: a certificate, followed by what stands between it and
// its root, and its key. One file may hold both.
type Pair struct{ Cert, Key string }

// Load reads the pair. The error names the file at fault and what to do.
func (p Pair) Load() (*tls.Certificate, error) {
	cert, key, err := p.read()
	if err != nil {
		return nil, err
	}
	return p.parse(cert, key)
}

func (p Pair) read() (cert, key []byte, err error) {
	if cert, err = readPEM("certificate", p.Cert); err != nil {
		return nil, nil, err
	}
	if key, err = readPEM("key", p.Key); err != nil {
		return nil, nil, err
	}
	return cert, key, nil
}

// readPEM reads a file of a bounded size. Pipes are refused, as they can be read
// only once.
func readPEM(what, name string) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("%s: %w", what, err) }
	info, err := os.Stat(name)
	if err != nil {
		return fail(err)
	}
	if !info.Mode().IsRegular() {
		return fail(fmt.Errorf("%s is no regular file; name a PEM file", name))
	}
	f, err := os.Open(name)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return fail(err)
	}
	if len(data) > maxPEM {
		return fail(fmt.Errorf("%s is larger than 1 MiB; is this the right file?", name))
	}
	return data, nil
}

func (p Pair) parse(cert, key []byte) (*tls.Certificate, error) {
	if findBlock(cert, "CERTIFICATE") == nil {
		return nil, fmt.Errorf("certificate: %s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", p.Cert)
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
		return nil, fmt.Errorf("certificate %s with key %s: %s; the server's own certificate must come first, and the key must be the one it was made for",
			p.Cert, p.Key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &pair, nil
}

// findBlock returns the first PEM block whose type ends so, or nil.
func findBlock(data []byte, kind string) *pem.Block {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, kind) {
			return block
		}
	}
	return nil
}

// fingerprint is equal for what is read alike.
func fingerprint(cert, key []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	a, b := sha256.Sum256(cert), sha256.Sum256(key)
	return string(a[:]) + string(b[:])
}

// warnOfDates warns of a certificate that clients refuse, or soon will.
func (p Pair) warnOfDates(log *slog.Logger, leaf *x509.Certificate) {
	warn := func(what string) {
		log.Warn(what, "file", p.Cert, "names", leaf.DNSNames, "from", leaf.NotBefore, "until", leaf.NotAfter)
	}
	now := time.Now()
	switch {
	case now.After(leaf.NotAfter):
		warn("a certificate has expired; clients will refuse it")
	case now.Before(leaf.NotBefore):
		warn("a certificate is not valid yet; clients will refuse it")
	case leaf.NotAfter.Sub(now) < soonEnded:
		warn("a certificate expires within 14 days")
	}
}
