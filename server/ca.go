package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"cacheproxy/certs"
)

const caYears = 10

// openCA loads the authority from its folder, or makes what is not there yet. The
// key comes first, so a certificate without one is a fault, and a key without a
// certificate is a process that is at it, or was interrupted: whoever comes can
// complete it.
func openCA(folder string) (ca *tls.Certificate, file string, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, "", unwritable(err)
	}
	p := certs.Pair{Cert: filepath.Join(folder, "ca.pem"), Key: filepath.Join(folder, "ca-key.pem")}
	hasCert, err := fileExists(p.Cert)
	if err != nil {
		return nil, "", err
	}
	hasKey, err := fileExists(p.Key)
	if err != nil {
		return nil, "", err
	}
	if hasCert && !hasKey {
		return nil, "", fmt.Errorf("ca-key.pem is missing beside ca.pem; put it back, or %s", startOver)
	}
	if !hasKey {
		if err := makeKey(p.Key); err != nil {
			return nil, "", unwritable(err)
		}
	}
	if !hasCert {
		if err := makeCA(p); err != nil {
			return nil, "", err
		}
	}
	if ca, err = p.Load(); err != nil {
		return nil, "", fmt.Errorf("%w; or %s", err, startOver)
	}
	if !ca.Leaf.IsCA {
		return nil, "", fmt.Errorf("ca.pem is no certificate of an authority; %s", startOver)
	}
	if time.Now().After(ca.Leaf.NotAfter) {
		return nil, "", fmt.Errorf("ca.pem has expired; %s", startOver)
	}
	return ca, p.Cert, nil
}

const startOver = "delete ca.pem and ca-key.pem to have a new CA made, which clients must trust anew"

func unwritable(err error) error {
	return fmt.Errorf("%w; make the folder writable, set XDG_CONFIG_HOME to another place, or give a certificate of your own", err)
}

func fileExists(name string) (bool, error) {
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func makeKey(name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return createFile(name, 0o600, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// makeCA makes the certificate of the authority for the key that is there.
func makeCA(p certs.Pair) error {
	data, err := certs.File{What: "key", Name: p.Key}.Read()
	if err != nil {
		return err
	}
	broken := fmt.Errorf("ca-key.pem holds no usable key; %s", startOver)
	block, _ := pem.Decode(data)
	if block == nil {
		return broken
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return broken
	}
	now := time.Now()
	ca := &x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{"cacheproxy"},
			CommonName:   "cacheproxy development CA, made " + now.Format(time.DateOnly),
		},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(caYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return fmt.Errorf("ca-key.pem: %w", err)
	}
	if err := createFile(p.Cert, 0o644, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		return unwritable(err)
	}
	return nil
}

// createFile writes a file that appears complete or not at all. One that is there
// stays: another process was faster.
func createFile(name string, mode os.FileMode, block *pem.Block) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := pem.Encode(f, block); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
