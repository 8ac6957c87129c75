package server

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"

	"cacheproxy/certs"
)

// TLSConfig is TLS as we offer it: version 1.2 or later, HTTP/2 or HTTP/1.1 by
// ALPN, resumption by tickets. The function chooses the certificate of each
// handshake; the tickets outlive a change of certificates.
func TLSConfig(choose func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: choose,
	}
}

// Certificates are certificates from files, of which each handshake gets the one
// that fits best. Replaced files come to use by themselves; see [certs.Watch].
type Certificates struct{ pairs []watched }

type watched struct {
	pair  certs.Pair
	watch *certs.Watch[tls.Certificate]
}

// LoadCertificates loads at least one pair. The first that cannot be loaded is an
// error as from [certs.Pair.Load], unless it was in use with old (which may be nil): then its certificate
// stays in use, and the log says so. The log also warns of certificates that
// have expired, or will within 14 days.
func LoadCertificates(pairs []certs.Pair, old *Certificates, log *slog.Logger) (*Certificates, error) {
	if len(pairs) == 0 {
		return nil, errors.New("no certificates given")
	}
	c := new(Certificates)
	for _, pair := range pairs {
		log := log.With("file", pair.Cert)
		w := &certs.Watch[tls.Certificate]{Files: pair.Files(), Parse: pair.Parse, Log: log, Took: func(before, now *tls.Certificate) {
			if before != nil && !before.Leaf.Equal(now.Leaf) {
				log.Info("certificate replaced", "names", now.Leaf.DNSNames, "until", now.Leaf.NotAfter)
			}
			certs.WarnOfDates(log, now.Leaf)
		}}
		if err := w.Begin(old.watch(pair)); err != nil {
			return nil, err
		}
		c.pairs = append(c.pairs, watched{pair, w})
	}
	return c, nil
}

// watch is what is in use for a pair, or nil.
func (c *Certificates) watch(pair certs.Pair) *certs.Watch[tls.Certificate] {
	if c == nil {
		return nil
	}
	for _, w := range c.pairs {
		if w.pair == pair {
			return w.watch
		}
	}
	return nil
}

// For returns the certificate for a handshake: one that has the client's name for
// us, before one with a wildcard for it, before the first. What the client cannot
// verify comes last. It never fails.
func (c *Certificates) For(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	best, highest := c.pairs[0].watch.Current(), unfit
	nameless := *hello
	nameless.ServerName = ""
	for _, w := range c.pairs {
		cert := w.watch.Current()
		// The name first, since the rest takes 1 us for each certificate.
		if f := nameFit(cert.Leaf.DNSNames, hello.ServerName); f > highest && nameless.SupportsCertificate(cert) == nil {
			best, highest = cert, f
		}
	}
	return best, nil
}

// fit tells how well a certificate fits what a client asks for.
type fit int

const (
	unfit fit = iota // the client cannot verify it
	otherName
	byWildcard
	exactly
)

func nameFit(names []string, asked string) fit {
	best := otherName
	_, parent, _ := strings.Cut(asked, ".")
	for _, name := range names {
		if strings.EqualFold(name, asked) {
			return exactly
		}
		if above, ok := strings.CutPrefix(name, "*."); ok && strings.EqualFold(above, parent) {
			best = byWildcard
		}
	}
	return best
}
