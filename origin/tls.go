package origin

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"cacheproxy/certs"
)

// TLSFiles say how to trust an origin, and how to be trusted by it.
type TLSFiles struct {
	ServerName string // name that is asked for (SNI) and that the certificate must have; "" = the host of the URL
	CA         string // PEM file of the only roots that count; "" = those of the system
	Cert, Key  string // PEM files of a client certificate, with what stands between it and its root, and of its key; "" = none
	SkipVerify bool   // take any certificate: whoever is on the way can read and change all
}

// LoadTLS reads the files, and returns what gives the configuration for a handshake.
// Replaced files come to use by themselves, with the next connection that is made; see
// [certs.Watch]. An error names the file at fault and what to do.
func LoadTLS(f TLSFiles, log *slog.Logger) (func() *tls.Config, error) {
	switch {
	case f.Key == "" && f.Cert != "":
		return nil, fmt.Errorf("certificate %s: its key is missing; name its file too", f.Cert)
	case f.Cert == "" && f.Key != "":
		return nil, fmt.Errorf("key %s: its certificate is missing; name its file too", f.Key)
	}
	w := &certs.Watch[tls.Config]{Files: f.list(), Parse: f.parse, Log: log, Took: func(before, now *tls.Config) {
		if before != nil {
			log.Info("certificates replaced")
		}
		for _, own := range now.Certificates {
			certs.WarnOfDates(log.With("file", f.Cert), own.Leaf)
		}
	}}
	if err := w.Begin(nil); err != nil {
		return nil, err
	}
	return w.Current, nil
}

func (f TLSFiles) list() (files []certs.File) {
	if f.Cert != "" {
		files = certs.Pair{Cert: f.Cert, Key: f.Key}.Files()
	}
	if f.CA != "" {
		files = append(files, certs.File{What: "CA", Name: f.CA})
	}
	return files
}

// parse makes the configuration of what the files of list hold.
func (f TLSFiles) parse(texts [][]byte) (*tls.Config, error) {
	config := &tls.Config{ServerName: f.ServerName, InsecureSkipVerify: f.SkipVerify, MinVersion: tls.VersionTLS12}
	if f.Cert != "" {
		own, err := certs.Pair{Cert: f.Cert, Key: f.Key}.Parse(texts)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{*own}
	}
	if f.CA != "" {
		var err error
		if config.RootCAs, err = certs.ParseRoots(certs.File{What: "CA", Name: f.CA}, texts[len(texts)-1]); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// sessions is how many TLS sessions are remembered to be resumed.
const sessions = 64

// prepared is config, or the default, for a host. It offers these protocols.
func prepared(config *tls.Config, host string, protocols ...string) *tls.Config {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	if config.ClientSessionCache == nil {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
	}
	config.NextProtos = protocols
	return config
}
