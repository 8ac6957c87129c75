package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	leafLife  = 90 * 24 * time.Hour
	leafRenew = 30 * 24 * time.Hour // before a leaf's end a new one is made
	maxLeaves = 256
)

// SelfSigned makes certificates for development, for whatever name a client asks
// for, signed by an authority of its own. They last 90 days and are made anew in
// time; at most 256 are kept.
type SelfSigned struct {
	file   string
	ca     *tls.Certificate
	mu     sync.Mutex // guards leaves
	leaves map[string]*tls.Certificate
}

// OpenSelfSigned opens the authority in a folder, ca.pem and ca-key.pem, which it
// makes on first use. Files that are there are never written: what is broken or
// has expired is an error that says what to delete.
func OpenSelfSigned(folder string) (*SelfSigned, error) {
	ca, file, err := openCA(folder)
	if err != nil {
		return nil, fmt.Errorf("development CA in %s: %w", folder, err)
	}
	return &SelfSigned{file: file, ca: ca, leaves: make(map[string]*tls.Certificate)}, nil
}

// File is the PEM file with the certificate of the authority, for clients to trust.
func (s *SelfSigned) File() string { return s.file }

// For returns a certificate for the name that the client asks for, or without one
// for this machine: localhost, its loopback addresses, and the address that the
// client has connected to. It returns nil when the name is no host name, which
// TLS answers with the alert unrecognized_name.
func (s *SelfSigned) For(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	id, name := "", strings.ToLower(hello.ServerName)
	leaf := &x509.Certificate{DNSNames: []string{name}}
	switch {
	case name == "":
		ips := machineIPs(hello.Conn)
		id = fmt.Sprint(ips)
		leaf = &x509.Certificate{DNSNames: []string{"localhost"}, IPAddresses: ips}
	case isHostName(name):
		id = name
	default:
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	cert := s.leaves[id]
	if cert != nil && now.Before(cert.Leaf.NotAfter.Add(-leafRenew)) {
		return cert, nil
	}
	cert, err := s.sign(leaf, now)
	if err != nil {
		return nil, err
	}
	if len(s.leaves) >= maxLeaves {
		for any := range s.leaves { // which one does not matter: it is quickly made again
			delete(s.leaves, any)
			break
		}
	}
	s.leaves[id] = cert
	return cert, nil
}

// sign completes and signs a certificate that has its names.
func (s *SelfSigned) sign(leaf *x509.Certificate, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf.Subject = pkix.Name{Organization: []string{"cacheproxy development certificate"}}
	leaf.NotBefore, leaf.NotAfter = now.Add(-time.Hour), now.Add(leafLife) // clocks differ
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, leaf, s.ca.Leaf, key.Public(), s.ca.PrivateKey)
	if err != nil {
		return nil, err
	}
	if leaf, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// machineIPs are the addresses that reach this machine from itself, and the one
// that the client used.
func machineIPs(conn net.Conn) []net.IP {
	ips := []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}
	if conn == nil {
		return ips
	}
	used, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return ips // not a socket
	}
	if ip := net.IP(used.Addr().Unmap().AsSlice()); !slices.ContainsFunc(ips, ip.Equal) {
		ips = append(ips, ip)
	}
	return ips
}

// isHostName holds for names in lower case that DNS can have. Addresses are none:
// clients do not ask for them by name (RFC 6066, 3).
func isHostName(name string) bool {
	if len(name) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}
