package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/config"
)

// A reload takes certificates in at once, all of them or none, and connections
// made before it can be resumed.
func TestReloadOfCertificates(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	pair := func(name string) config.Certificate {
		c := config.Certificate{Cert: filepath.Join(dir, name), Key: filepath.Join(dir, name+"-key")}
		require.NoError(t, writeCertificate(c.Cert, c.Key, name+".example"))
		return c
	}
	c := config.Default()
	c.Origin, c.Listen, c.Admin.Listen, c.AccessLog.Mode = "http://127.0.0.1:1", "127.0.0.1:0", "off", "off"
	c.TLS = config.TLS{Listen: "127.0.0.1:0", Certificates: []config.Certificate{pair("a")}}
	var log strings.Builder
	a, err := start(c, slog.New(slog.NewTextHandler(&log, nil)), io.Discard, io.Discard)
	require.NoError(t, err)
	defer a.close()
	go a.tls.Serve()

	sessions := tls.NewLRUClientSessionCache(1)
	client := &tls.Config{InsecureSkipVerify: true, ServerName: "a.example", NextProtos: []string{"http/1.1"}, ClientSessionCache: sessions}
	get := func(config *tls.Config) tls.ConnectionState {
		conn, err := tls.Dial("tcp", a.tls.Addr().String(), config)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		_, err = io.ReadAll(conn)
		require.NoError(t, err)
		return conn.ConnectionState()
	}
	names := func() []string {
		return get(&tls.Config{InsecureSkipVerify: true}).PeerCertificates[0].DNSNames
	}
	require.Equal(t, []string{"a.example"}, names())
	require.False(t, get(client).DidResume)
	require.NoError(t, a.apply(c))
	assert.True(t, get(client).DidResume)

	next := c
	next.TLS.Certificates = []config.Certificate{pair("b"), c.TLS.Certificates[0]}
	require.NoError(t, a.apply(next))
	assert.Equal(t, []string{"b.example"}, names())

	require.NoError(t, os.WriteFile(next.TLS.Certificates[0].Cert, nil, 0o600))
	require.NoError(t, a.apply(next))
	assert.Equal(t, []string{"b.example"}, names(), "it stays in use")
	assert.Contains(t, log.String(), "the one before stays in use")

	bad := next
	bad.TLS.Certificates = []config.Certificate{c.TLS.Certificates[0], {Cert: "missing.pem", Key: "missing.pem"}}
	require.ErrorContains(t, a.apply(bad), "tls.certificates: certificate: stat missing.pem")
	assert.Equal(t, []string{"b.example"}, names(), "what is refused changes nothing")

	next.TLS.Certificates, next.TLS.SelfSigned = nil, true
	require.NoError(t, a.apply(next))
	assert.Equal(t, []string{"localhost"}, names())

	log.Reset()
	next.TLS = config.TLS{}
	require.NoError(t, a.apply(next))
	assert.Equal(t, []string{"localhost"}, names())
	assert.Contains(t, log.String(), "settings=tls.listen")
}

// certificate CERT KEY NAME... writes a certificate that signs itself.
func certificate(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(writeCertificate(ts.MkAbs(args[0]), ts.MkAbs(args[1]), args[2:]...))
}

func writeCertificate(certFile, keyFile string, names ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	// By renaming: nobody may see half a file.
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name+".new", pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
		if err := os.Rename(name+".new", name); err != nil {
			return err
		}
	}
	return nil
}

// https CA ADDR HOST VERSION [PATH] asks for https://HOST/PATH at ADDR with that
// version of HTTP, trusting the CA (a file) only, and prints what it gets. With
// "!" it wants to be refused.
func https(ts *testscript.TestScript, neg bool, args []string) {
	got, err := getHTTPS(ts, args)
	if neg && err == nil {
		ts.Fatalf("not refused: %s", got)
	}
	if neg {
		got = err.Error() + "\n"
	} else {
		ts.Check(err)
	}
	fmt.Fprint(ts.Stdout(), got)
}

// awaitHTTPS is https until it succeeds.
func awaitHTTPS(ts *testscript.TestScript, _ bool, args []string) {
	var got string
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if got, err = getHTTPS(ts, args); err == nil {
			fmt.Fprint(ts.Stdout(), got)
			return
		}
	}
	ts.Fatalf("still not: %v", err)
}

func getHTTPS(ts *testscript.TestScript, args []string) (string, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[0]))) {
		ts.Fatalf("no certificate in %s", args[0])
	}
	var protocols http.Protocols
	protocols.SetHTTP1(args[3] == "1.1")
	protocols.SetHTTP2(args[3] == "2")
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		Protocols:       &protocols,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, args[1])
		},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	resp, err := client.Get("https://" + args[2] + strings.Join(args[4:], ""))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	return fmt.Sprintf("%s %d %s\n", resp.Proto, resp.StatusCode, resp.Header.Get("Cache-Status")), nil
}
