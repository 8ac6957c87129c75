package certs

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"
)

const mostPEM = 1 << 20 // bytes of a file

// File is a PEM file.
type File struct {
	What string // it is to hold, for errors: certificate, key, CA
	Name string
}

// Read reads a file of at most 1 MiB. Pipes are refused, as they can be read only
// once.
func (f File) Read() ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("%s: %w", f.What, err) }
	info, err := os.Stat(f.Name)
	if err != nil {
		return fail(err)
	}
	if !info.Mode().IsRegular() {
		return fail(fmt.Errorf("%s is no regular file; name a PEM file", f.Name))
	}
	file, err := os.Open(f.Name)
	if err != nil {
		return fail(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, mostPEM+1))
	if err != nil {
		return fail(err)
	}
	if len(data) > mostPEM {
		return fail(fmt.Errorf("%s is larger than 1 MiB; is this the right file?", f.Name))
	}
	return data, nil
}

func readAll(files []File) (texts [][]byte, err error) {
	texts = make([][]byte, len(files))
	for i, f := range files {
		if texts[i], err = f.Read(); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// ParseRoots reads all certificates of a file of roots, of which there must be one.
func ParseRoots(f File, text []byte) (*x509.CertPool, error) {
	roots, n := x509.NewCertPool(), 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		n++
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d in %s: %w", f.What, n, f.Name, err)
		}
		roots.AddCert(cert)
	}
	if n == 0 {
		return nil, noCertificate(f)
	}
	return roots, nil
}

func noCertificate(f File) error {
	return fmt.Errorf("%s: %s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", f.What, f.Name)
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
