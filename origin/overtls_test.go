package origin

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// ca is made once: it takes a while.
var ca = sync.OnceValue(func() *authority { return newAuthority("test CA") })

func newAuthority(name string) *authority {
	a := &authority{key: newKey()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = sign(template, template, &a.key.PublicKey, a.key)
	return a
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

// issue makes a certificate for 127.0.0.1 and origin.test, unless change makes it another one.
func (a *authority) issue(change func(*x509.Certificate)) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"origin.test"},
	}
	if change != nil {
		change(template)
	}
	key := newKey()
	leaf := sign(template, a.cert, &key.PublicKey, a.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// pemFile writes blocks to a file.
func pemFile(t *testing.T, blocks ...*pem.Block) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.pem")
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(b)...)
	}
	require.NoError(t, os.WriteFile(name, text, 0o600))
	return name
}

// trusting is the TLS of a client that trusts an authority.
func trusting(a *authority) func() *tls.Config {
	config := &tls.Config{RootCAs: a.pool()}
	return func() *tls.Config { return config }
}

// goodTLS is the TLS of an origin that can be trusted and speaks these protocols.
func goodTLS(protocols ...string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ca().issue(nil)}, NextProtos: protocols}
}

// overTLS serves like overTCP, with TLS.
func overTLS(t *testing.T, o Options, config *tls.Config, fn func(*peer)) (*server, *Origin) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, fn: fn, base: "https://" + ln.Addr().String(), open: make(map[net.Conn]bool)}
	s.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			s.serve(tls.Server(nc, config))
		}
	})
	t.Cleanup(func() {
		ln.Close()
		s.close()
	})
	if o.TLS == nil {
		o.TLS = trusting(ca())
	}
	return s, open(t, s.base, o)
}

// state returns what was agreed on, after the handshake. If that fails, the
// connection stays open until the other side closes it, so that it hears why.
func (p *peer) state() tls.ConnectionState {
	c := p.Conn.(*tls.Conn)
	if c.Handshake() != nil {
		_, _ = io.Copy(io.Discard, c.NetConn())
	}
	return c.ConnectionState()
}

// batch has what fn says go out at once, each piece in a TLS record of its own.
func (p *peer) batch(fn func()) {
	below := p.Conn.(*tls.Conn).NetConn().(*batching)
	below.hold = true
	fn()
	below.hold = false
	_ = below.w.Flush()
}

// batching is a connection that can hold back what is written.
type batching struct {
	net.Conn
	hold bool
	w    *bufio.Writer
}

func (b *batching) Write(p []byte) (int, error) {
	if b.hold {
		return b.w.Write(p)
	}
	return b.Conn.Write(p)
}
