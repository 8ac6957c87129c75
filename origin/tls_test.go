package origin

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/certs"
)

func certBlock(c *x509.Certificate) *pem.Block {
	return &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}
}

func keyBlock(t *testing.T, c tls.Certificate) *pem.Block {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}
}

func TestLoadTLSRefuses(t *testing.T) {
	good, other := ca().issue(nil), ca().issue(nil)
	cert, key := pemFile(t, certBlock(good.Leaf)), pemFile(t, keyBlock(t, good))
	otherKey := pemFile(t, keyBlock(t, other))
	locked := pemFile(t, &pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	empty := pemFile(t)
	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, make([]byte, 2<<20), 0o600))
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for name, tc := range map[string]struct {
		files TLSFiles
		names string // the file at fault
		why   string
	}{
		"no CA file":            {TLSFiles{CA: missing}, missing, "CA: "},
		"an empty CA file":      {TLSFiles{CA: empty}, empty, "holds no certificate in PEM form"},
		"a key as CA":           {TLSFiles{CA: key}, key, "holds no certificate in PEM form"},
		"a broken CA":           {TLSFiles{CA: pemFile(t, &pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})}, "", "CA: certificate 1 in "},
		"a directory as CA":     {TLSFiles{CA: t.TempDir()}, "", "name a PEM file"},
		"a CA file too large":   {TLSFiles{CA: large}, large, "is this the right file?"},
		"no key":                {TLSFiles{Cert: cert}, cert, "its key is missing"},
		"no certificate":        {TLSFiles{Key: key}, key, "its certificate is missing"},
		"no certificate file":   {TLSFiles{Cert: missing, Key: key}, missing, "certificate: "},
		"no key file":           {TLSFiles{Cert: cert, Key: missing}, missing, "key: "},
		"the key of another":    {TLSFiles{Cert: cert, Key: otherKey}, otherKey, "the certificate that the key was made for must come first"},
		"an encrypted key":      {TLSFiles{Cert: cert, Key: locked}, locked, "decrypt it"},
		"the two mixed up":      {TLSFiles{Cert: key, Key: cert}, key, "holds no certificate in PEM form"},
		"an empty certificate":  {TLSFiles{Cert: empty, Key: key}, empty, "holds no certificate in PEM form"},
		"a certificate, no key": {TLSFiles{Cert: cert, Key: cert}, cert, "holds no private key in PEM form"},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := LoadTLS(tc.files, slog.New(slog.DiscardHandler))
			assert.Nil(t, config)
			assert.ErrorContains(t, err, tc.why)
			assert.ErrorContains(t, err, tc.names)
		})
	}
}

// TestLoadTLS: what the files say is what the origin meets.
func TestLoadTLS(t *testing.T) {
	client := ca().issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	files := TLSFiles{
		ServerName: "origin.test", CA: pemFile(t, certBlock(newAuthority("another").cert), certBlock(ca().cert)),
		Cert: pemFile(t, certBlock(client.Leaf)), Key: pemFile(t, keyBlock(t, client)),
	}
	config, err := LoadTLS(files, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	demanding := goodTLS("http/1.1")
	demanding.ClientAuth, demanding.ClientCAs = tls.RequireAndVerifyClientCert, ca().pool()
	states := make(chan tls.ConnectionState, 1)
	s, o := overTLS(t, Options{TLS: config}, demanding, func(p *peer) {
		states <- p.state()
		always(ok)(p)
	})
	ask(t, o, s.request("GET", ""))
	state := <-states
	assert.Equal(t, "origin.test", state.ServerName)
	assert.Equal(t, client.Leaf.Raw, state.PeerCertificates[0].Raw)
	assert.Empty(t, config().NextProtos, "what is given is not changed")

	config, err = LoadTLS(TLSFiles{SkipVerify: true}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s, o = overTLS(t, Options{TLS: config}, &tls.Config{Certificates: []tls.Certificate{newAuthority("nobody's").issue(nil)}}, always(ok))
	ask(t, o, s.request("GET", ""))
}

// TestReplacedFilesComeToUse: whom to trust and what to show is what the files hold. What
// is broken meanwhile changes nothing, and the log says so once.
func TestReplacedFilesComeToUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		files := TLSFiles{CA: filepath.Join(dir, "ca"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
		first, second := newAuthority("first"), newAuthority("second")
		replace := func(a *authority) {
			own := a.issue(nil)
			for name, block := range map[string]*pem.Block{files.CA: certBlock(a.cert), files.Cert: certBlock(own.Leaf), files.Key: keyBlock(t, own)} {
				require.NoError(t, os.Rename(pemFile(t, block), name))
			}
		}
		replace(first)
		var log bytes.Buffer
		config, err := LoadTLS(files, slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err)
		is := func(a *authority) bool {
			return config().RootCAs.Equal(a.pool()) && config().Certificates[0].Leaf.Issuer.CommonName == a.cert.Subject.CommonName
		}
		assert.True(t, is(first))
		assert.Same(t, config(), config(), "sessions are resumed with it")
		replace(second)
		assert.True(t, is(first), "files are not looked at with each handshake")
		time.Sleep(certs.LookEvery)
		assert.True(t, is(second))
		assert.Contains(t, log.String(), "certificates replaced")

		require.NoError(t, os.WriteFile(files.CA, nil, 0o600))
		for range 3 {
			time.Sleep(certs.LookEvery)
			assert.True(t, is(second))
		}
		assert.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
		assert.Contains(t, log.String(), "CA: "+files.CA+" holds no certificate")
		replace(first)
		time.Sleep(certs.LookEvery)
		assert.True(t, is(first))
	})
}

// TestEachHandshakeAsksForItsConfiguration, for HTTP/1.1 as for HTTP/2; a session of
// before is not resumed with another.
func TestEachHandshakeAsksForItsConfiguration(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			var now atomic.Pointer[tls.Config]
			now.Store(trusting(ca())())
			s, o := overTLS(t, Options{TLS: now.Load}, goodTLS(protocol), func(p *peer) {
				if !p.state().HandshakeComplete {
					return
				}
				if protocol == "h2" {
					_, _ = p.Read(make([]byte, 1<<10)) // and ends
					return
				}
				p.head()
				p.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
			})
			assert.NoError(t, o.Reachable(t.Context()))
			if protocol == "h2" {
				fails(t, o, s.request("GET", ""), Terminated)
			} else {
				ask(t, o, s.request("GET", ""))
			}
			now.Store(trusting(newAuthority("another"))())
			fails(t, o, s.request("GET", ""), TLSCertificate)
			assert.Equal(t, TLSCertificate, Classify(o.Reachable(t.Context())))
		})
	}
}

// TestHandshakes makes each failure of TLS happen, with an origin of HTTP/1.1 and of HTTP/2.
func TestHandshakes(t *testing.T) {
	issued := func(a *authority, change func(*x509.Certificate)) func(*tls.Config) {
		return func(c *tls.Config) { c.Certificates = []tls.Certificate{a.issue(change)} }
	}
	for _, tc := range []struct {
		name  string
		want  Failure
		why   string
		serve func(*tls.Config)
	}{
		{"good", None, "", func(*tls.Config) {}},
		{"another name", TLSCertificate, "127.0.0.1", issued(ca(), func(c *x509.Certificate) { c.IPAddresses = nil })},
		{"unknown CA", TLSCertificate, "unknown authority", issued(newAuthority("nobody's"), nil)},
		{"expired", TLSCertificate, "expired", issued(ca(), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })},
		{"not valid yet", TLSCertificate, "not yet valid", issued(ca(), func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })},
		{"not for servers", TLSCertificate, "key usage", issued(ca(), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
		{"an old version", TLSAlert, "protocol version", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11; c.MinVersion = tls.VersionTLS10 }},
		{"TLS 1.2", None, "", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }},
		{"a client certificate is demanded, TLS 1.2", TLSAlert, "remote error", func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
		}},
		{"a client certificate is demanded, TLS 1.3", TLSAlert, "certificate required", func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }},
	} {
		for _, protocol := range []string{"http/1.1", "h2"} {
			t.Run(tc.name+" "+protocol, func(t *testing.T) {
				config := goodTLS(protocol)
				tc.serve(config)
				s, o := overTLS(t, Options{}, config, func(p *peer) {
					if !p.state().HandshakeComplete {
						return
					}
					if p.state().NegotiatedProtocol == "h2" {
						serve2(p)
						return
					}
					always(ok)(p)
				})
				if tc.want == None {
					resp, body := ask(t, o, s.request("GET", ""))
					assert.Equal(t, "ok", body)
					assert.Equal(t, protocol == "h2", resp.ProtoMajor == 2)
					assert.NoError(t, o.Reachable(t.Context()))
					return
				}
				assert.ErrorContains(t, fails(t, o, s.request("GET", ""), tc.want), tc.why)
				assert.ErrorContains(t, fails(t, o, s.request("POST", "content"), tc.want), tc.why)
			})
		}
	}
}

// TestNoTLSThere: what is at the port is no TLS, or ends before it is.
func TestNoTLSThere(t *testing.T) {
	for _, tc := range []struct {
		name string
		play func(*peer)
		want Failure
		why  string
	}{
		{"HTTP in clear", func(p *peer) { p.body(1); p.say("HTTP/1.1 400 Bad Request\r\n\r\n"); p.wait() }, TLSProtocol, "no TLS is spoken at this port"},
		{"closed", func(p *peer) { p.body(1) }, Terminated, "TLS: "},
		{"reset", func(p *peer) { reset(p.Conn) }, Terminated, "reset"},
		{"silent", func(p *peer) { p.body(1 << 20) }, ConnectTimeout, "no TLS within 500ms"},
		{"garbage in a record", func(p *peer) { p.say("\x16\x03\x03\x00\x05garbage"); p.body(1 << 20) }, TLSProtocol, "tls"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, plain := overTCP(t, Options{}, tc.play)
			plain.Close()
			s.base = "https" + s.base[len("http"):]
			var options Options
			if tc.want == ConnectTimeout {
				options.Connect = 500 * time.Millisecond
			}
			o := open(t, s.base, options)
			assert.ErrorContains(t, fails(t, o, s.request("GET", ""), tc.want), tc.why)
			err := o.Reachable(t.Context())
			assert.Equal(t, tc.want.String(), Classify(err).String(), "%v", err)
			content := &closing{Reader: http.NoBody}
			r := s.request("POST", "")
			r.Body, r.ContentLength = content, 1
			fails(t, o, r, tc.want)
			assert.EqualValues(t, 1, content.closed.Load())
		})
	}
}
