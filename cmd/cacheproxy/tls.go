package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"cacheproxy/certs"
	"cacheproxy/config"
	"cacheproxy/server"
)

// keyring has the certificates for clients: from files, or from the development CA.
type keyring struct {
	files *server.Certificates
	ca    *server.SelfSigned
}

func (k *keyring) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if k.ca != nil {
		return k.ca.For(hello)
	}
	return k.files.For(hello)
}

// openTLS opens the listener for clients over TLS, if there is to be one.
func (a *app) openTLS(c config.Config) error {
	if c.TLS.Listen == "" {
		return nil
	}
	if err := checkCertificates(c); err != nil {
		return err
	}
	keys, err := a.loadKeys(c, &keyring{})
	if err != nil {
		return err
	}
	a.keys.Store(keys)
	o := a.serverOptions(c)
	// One configuration for good, so that sessions outlive a reload.
	o.TLS = server.TLSConfig(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return a.keys.Load().choose(hello)
	})
	if a.tls, err = server.Listen(c.TLS.Listen, o); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	return nil
}

// reloadKeys are the certificates of a new configuration. A listener that is to
// go, or to come, with a restart changes nothing.
func (a *app) reloadKeys(c config.Config) (*keyring, error) {
	old := a.keys.Load()
	if a.tls == nil || c.TLS.Listen == "" {
		return old, nil
	}
	return a.loadKeys(c, old)
}

// loadKeys loads certificates anew; what cannot be loaded stays as it is in old.
func (a *app) loadKeys(c config.Config, old *keyring) (*keyring, error) {
	if !c.TLS.SelfSigned {
		files, err := server.LoadCertificates(pairs(c), old.files, a.log)
		if err != nil {
			return nil, c.Blame("tls.certificates", err)
		}
		return &keyring{files: files}, nil
	}
	if old.ca != nil {
		return old, nil
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return nil, c.Blame("tls.self_signed", fmt.Errorf("no folder to keep the development CA in: %w; set HOME, or give a certificate of your own", err))
	}
	ca, err := server.OpenSelfSigned(filepath.Join(folder, "cacheproxy"))
	if err != nil {
		return nil, c.Blame("tls.self_signed", err)
	}
	return &keyring{ca: ca}, nil
}

// checkCertificates reports all certificates that cannot be loaded, for clients and for
// origins.
func checkCertificates(c config.Config) error {
	var errs []error
	for i, p := range pairs(c) {
		if _, err := p.Load(); err != nil {
			errs = append(errs, c.Blame(fmt.Sprintf("tls.certificates[%d]", i), err))
		}
	}
	for i, u := range c.Upstreams {
		if _, err := originTLS(u.TLS, slog.New(slog.DiscardHandler)); err != nil {
			errs = append(errs, c.Blame(fmt.Sprintf("upstreams[%d].tls", i), err))
		}
	}
	return errors.Join(errs...)
}

func pairs(c config.Config) []certs.Pair {
	var list []certs.Pair
	for _, p := range c.TLS.Certificates {
		list = append(list, certs.Pair(p))
	}
	return list
}

// announceTLS tells where TLS is served, and how to trust the development CA.
func (a *app) announceTLS() {
	if a.tls == nil {
		return
	}
	a.log.Info("serving TLS", "on", a.tls.Addr().String())
	if ca := a.keys.Load().ca; ca != nil {
		a.log.Info("certificates are for development only, from a CA that clients must trust", "CA", ca.File(),
			"try", fmt.Sprintf("curl --cacert %q https://%s/", ca.File(), reachable(a.tls.Addr())))
	}
}
