package origin

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"
)

// TLSFiles say how to trust an origin, and how to be trusted by it.
type TLSFiles struct {
	ServerName string // name that is asked for (SNI) and that the certificate must have; "" = the host of the URL
	CA         string // PEM file of the only roots that count; "" = those of the system
	Cert, Key  string // PEM files of a client certificate, with what stands between it and its root, and of its key; "" = none
	SkipVerify bool   // take any certificate: whoever is on the way can read and change all
}

const mostPEM = 1 << 20 // bytes of a file

// TLSConfig reads the files. An error names the file at fault and what to do.
func TLSConfig(f TLSFiles) (*tls.Config, error) {
	config := &tls.Config{ServerName: f.ServerName, InsecureSkipVerify: f.SkipVerify, MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		text, err := readPEM("CA", f.CA)
		if err != nil {
			return nil, err
		}
		if config.RootCAs, err = parseRoots(f.CA, text); err != nil {
			return nil, err
		}
	}
	switch {
	case f.Cert == "" && f.Key == "":
		return config, nil
	case f.Key == "":
		return nil, fmt.Errorf("client certificate %s: its key is missing; name its file too", f.Cert)
	case f.Cert == "":
		return nil, fmt.Errorf("client key %s: its certificate is missing; name its file too", f.Key)
	}
	pair, err := loadPair(f.Cert, f.Key)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func parseRoots(file string, text []byte) (*x509.CertPool, error) {
	roots, n := x509.NewCertPool(), 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("CA: certificate %d in %s: %w", n+1, file, err)
		}
		roots.AddCert(cert)
		n++
	}
	if n == 0 {
		return nil, fmt.Errorf("CA: %s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", file)
	}
	return roots, nil
}

func loadPair(cert, key string) (tls.Certificate, error) {
	certText, err := readPEM("client certificate", cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyText, err := readPEM("client key", key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if strings.Contains(string(keyText), "ENCRYPTED") {
		return tls.Certificate{}, fmt.Errorf("client key: %s is encrypted; decrypt it, for example with openssl pkey -in %s -out FILE", key, key)
	}
	pair, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		return pair, fmt.Errorf("client certificate %s with key %s: %s; the client's own certificate must come first, and the key must be the one it was made for",
			cert, key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return pair, nil
}

// readPEM reads a regular file of a bounded size.
func readPEM(what, name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %s is no regular file; name a PEM file", what, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostPEM+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(text) > mostPEM {
		return nil, fmt.Errorf("%s: %s is larger than 1 MiB; is this the right file?", what, name)
	}
	return text, nil
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
