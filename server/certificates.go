package server

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often handshakes look, at most, whether files have changed.
const lookEvery = 2 * time.Second

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
// that fits best. Who replaces the files need not tell: handshakes look at them
// every two seconds at most. The files are read, since neither times nor links
// tell reliably that something is new, and they are small. While a certificate
// and its key do not belong together, the pair before stays in use.
type Certificates struct {
	log    *slog.Logger
	pairs  []*watched
	mu     sync.Mutex // held by who looks
	looked time.Time
}

// watched is a pair with what was last seen of it.
type watched struct {
	Pair
	seen    string // guarded by Certificates.mu
	current atomic.Pointer[tls.Certificate]
}

// LoadCertificates loads at least one pair. The first that cannot be loaded is an
// error as from [Pair.Load], unless it was in use with old (which may be nil): then its certificate
// stays in use, and the log says so. The log also warns of certificates that
// have expired, or will within 14 days.
func LoadCertificates(pairs []Pair, old *Certificates, log *slog.Logger) (*Certificates, error) {
	if len(pairs) == 0 {
		return nil, errors.New("no certificates given")
	}
	c := &Certificates{log: log, looked: time.Now()}
	for _, pair := range pairs {
		w := &watched{Pair: pair}
		w.current.Store(old.inUse(pair))
		if err := w.refresh(log); err != nil {
			if w.current.Load() == nil {
				return nil, err
			}
			w.complain(log, err)
		}
		c.pairs = append(c.pairs, w)
	}
	return c, nil
}

// inUse is the certificate in use for a pair, or nil.
func (c *Certificates) inUse(pair Pair) *tls.Certificate {
	if c == nil {
		return nil
	}
	for _, w := range c.pairs {
		if w.Pair == pair {
			return w.current.Load()
		}
	}
	return nil
}

// For returns the certificate for a handshake: one that has the client's name for
// us, before one with a wildcard for it, before the first. What the client cannot
// verify comes last. It never fails.
func (c *Certificates) For(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.look()
	best, highest := c.pairs[0].current.Load(), unfit
	nameless := *hello
	nameless.ServerName = ""
	for _, w := range c.pairs {
		cert := w.current.Load()
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

// look takes in what has changed. One handshake at a time does it, so a slow disk
// holds up no other.
func (c *Certificates) look() {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookEvery {
		return
	}
	for _, w := range c.pairs {
		if err := w.refresh(c.log); err != nil {
			w.complain(c.log, err)
		}
	}
	c.looked = time.Now()
}

// refresh loads the pair if its files hold something else than when it last
// looked. An error is returned once for each change.
func (w *watched) refresh(log *slog.Logger) error {
	cert, key, err := w.read()
	seen := fingerprint(cert, key, err)
	if seen == w.seen {
		return nil
	}
	w.seen = seen
	if err != nil {
		return err
	}
	next, err := w.parse(cert, key)
	if err != nil {
		return err
	}
	before := w.current.Swap(next)
	if before != nil && !before.Leaf.Equal(next.Leaf) {
		log.Info("certificate replaced", "file", w.Cert, "names", next.Leaf.DNSNames, "until", next.Leaf.NotAfter)
	}
	w.warnOfDates(log, next.Leaf)
	return nil
}

func (w *watched) complain(log *slog.Logger, err error) {
	log.Error("a changed certificate is not taken, the one before stays in use", "file", w.Cert, "error", err)
}
