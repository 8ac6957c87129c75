package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/certs"
)

// The support of the tests about TLS: certificates in files, handshakes, a log.

var serials int64

// newPEM makes a certificate for names, valid until a time, that signs itself.
func newPEM(t *testing.T, until time.Time, names ...string) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return signedPEM(t, k, k.Public(), until, names...)
}

func newRSAPEM(t *testing.T, until time.Time, names ...string) (cert, key []byte) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return signedPEM(t, k, k.Public(), until, names...)
}

func signedPEM(t *testing.T, k, public any, until time.Time, names ...string) (cert, key []byte) {
	t.Helper()
	serials++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serials), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: until.Add(-365 * 24 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, k)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func inHalfAYear() time.Time { return time.Now().Add(182 * 24 * time.Hour) }

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, data, 0o600))
}

// newPair writes a certificate and its key into files of their own.
func newPair(t *testing.T, names ...string) certs.Pair {
	t.Helper()
	dir := t.TempDir()
	p := certs.Pair{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	cert, key := newPEM(t, inHalfAYear(), names...)
	writeFile(t, p.Cert, cert)
	writeFile(t, p.Key, key)
	return p
}

// namesOf is the first name of the certificate that a client with a name for us gets.
func namesOf(t *testing.T, c *Certificates, serverName string) string {
	t.Helper()
	state, err := shake(TLSConfig(c.For), &tls.Config{ServerName: serverName, InsecureSkipVerify: true})
	require.NoError(t, err)
	return state.PeerCertificates[0].DNSNames[0]
}

// shake connects a client and returns what it knows of the connection.
func shake(server, client *tls.Config) (tls.ConnectionState, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return tls.ConnectionState{}, err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer ln.Close()
	wg.Go(func() {
		if conn, err := tls.NewListener(ln, server).Accept(); err == nil {
			_, _ = conn.Write([]byte("x")) // after the tickets, so that who reads it has them
			conn.Close()
		}
	})
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	c := tls.Client(conn, client)
	if err := c.Handshake(); err != nil {
		return tls.ConnectionState{}, err
	}
	_, err = io.ReadFull(c, make([]byte, 1))
	return c.ConnectionState(), err
}

// lines is a log as the operator sees it.
type lines struct{ bytes.Buffer }

func newLog() (*slog.Logger, *lines) {
	var l lines
	return slog.New(slog.NewTextHandler(&l, nil)), &l
}

func (l *lines) count(level string) int { return strings.Count(l.String(), "level="+level) }
