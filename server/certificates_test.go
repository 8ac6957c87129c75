package server

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/certs"
)

func TestTheCertificateFitsTheName(t *testing.T) {
	log, _ := newLog()
	c, err := LoadCertificates([]certs.Pair{
		newPair(t, "first.example"), newPair(t, "*.example.com"),
		newPair(t, "shop.example.com"), newPair(t, "other.example", "also.example"),
	}, nil, log)
	require.NoError(t, err)
	for _, tc := range []struct{ asked, want string }{
		{"first.example", "first.example"},
		{"www.example.com", "*.example.com"},
		{"shop.example.com", "shop.example.com"},
		{"SHOP.Example.Com", "shop.example.com"},
		{"a.b.example.com", "first.example"},
		{"example.com", "first.example"},
		{"also.example", "other.example"},
		{"nowhere.example", "first.example"},
		{"", "first.example"},
	} {
		t.Run(tc.asked, func(t *testing.T) {
			assert.Equal(t, tc.want, namesOf(t, c, tc.asked))
		})
	}
}

// A client that knows no ECDSA gets the certificate that it can verify.
func TestTheCertificateFitsTheClient(t *testing.T) {
	dir := t.TempDir()
	old := certs.Pair{Cert: filepath.Join(dir, "rsa.pem"), Key: filepath.Join(dir, "rsa.pem")}
	cert, key := newRSAPEM(t, inHalfAYear(), "a.example")
	writeFile(t, old.Cert, append(key, cert...)) // both in one file
	log, _ := newLog()
	c, err := LoadCertificates([]certs.Pair{newPair(t, "a.example"), old}, nil, log)
	require.NoError(t, err)
	for _, name := range []string{"a.example", "nowhere.example", ""} {
		client := &tls.Config{
			ServerName: name, InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		}
		state, err := shake(TLSConfig(c.For), client)
		require.NoError(t, err, name)
		assert.Equal(t, "RSA", state.PeerCertificates[0].PublicKeyAlgorithm.String(), name)
	}
	state, err := shake(TLSConfig(c.For), &tls.Config{ServerName: "a.example", InsecureSkipVerify: true})
	require.NoError(t, err)
	assert.Equal(t, "ECDSA", state.PeerCertificates[0].PublicKeyAlgorithm.String())
}

func TestChangedFilesComeToUse(t *testing.T) {
	for manner, replace := range map[string]func(t *testing.T, p certs.Pair, cert, key []byte){
		"written": func(t *testing.T, p certs.Pair, cert, key []byte) {
			writeFile(t, p.Cert, cert)
			writeFile(t, p.Key, key)
		},
		"renamed": func(t *testing.T, p certs.Pair, cert, key []byte) {
			for name, data := range map[string][]byte{p.Cert: cert, p.Key: key} {
				writeFile(t, name+".new", data)
				require.NoError(t, os.Rename(name+".new", name))
			}
		},
		"times kept": func(t *testing.T, p certs.Pair, cert, key []byte) {
			for name, data := range map[string][]byte{p.Cert: cert, p.Key: key} {
				info, err := os.Stat(name)
				require.NoError(t, err)
				writeFile(t, name, data)
				require.NoError(t, os.Chtimes(name, info.ModTime(), info.ModTime()))
			}
		},
	} {
		t.Run(manner, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, said := newLog()
				p := newPair(t, "old.example")
				c, err := LoadCertificates([]certs.Pair{p}, nil, log)
				require.NoError(t, err)
				cert, key := newPEM(t, inHalfAYear(), "new.example")
				replace(t, p, cert, key)
				assert.Equal(t, "old.example", namesOf(t, c, ""), "files are not looked at with each handshake")
				time.Sleep(certs.LookEvery)
				assert.Equal(t, "new.example", namesOf(t, c, ""))
				assert.Contains(t, said.String(), `certificate replaced" file=`+p.Cert+" names=[new.example]")
				assert.Zero(t, said.count("ERROR"))
			})
		})
	}
}

// A mounted Secret is a link to a folder, which is swapped.
func TestASwappedLinkComesToUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := newLog()
		dir := t.TempDir()
		link := filepath.Join(dir, "..data")
		require.NoError(t, os.Symlink(filepath.Dir(newPair(t, "old.example").Cert), link))
		p := certs.Pair{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
		require.NoError(t, os.Symlink(filepath.Join("..data", "cert.pem"), p.Cert))
		require.NoError(t, os.Symlink(filepath.Join("..data", "key.pem"), p.Key))
		c, err := LoadCertificates([]certs.Pair{p}, nil, log)
		require.NoError(t, err)
		require.Equal(t, "old.example", namesOf(t, c, ""))

		require.NoError(t, os.Symlink(filepath.Dir(newPair(t, "new.example").Cert), link+".new"))
		require.NoError(t, os.Rename(link+".new", link))
		time.Sleep(certs.LookEvery)
		assert.Equal(t, "new.example", namesOf(t, c, ""))
	})
}

// Whatever is wrong meanwhile, the certificate before is served, and the log says
// so once for each change.
func TestWhatCannotBeLoadedKeepsTheOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, said := newLog()
		p, other := newPair(t, "old.example"), newPair(t, "other.example")
		c, err := LoadCertificates([]certs.Pair{p, other}, nil, log)
		require.NoError(t, err)
		cert, key := newPEM(t, inHalfAYear(), "new.example")
		faults := []struct {
			change func()
			want   string
		}{
			{func() { writeFile(t, p.Cert, cert) }, "private key does not match public key"},
			{func() { writeFile(t, p.Key, []byte("not a key")) }, "holds no private key"},
			{func() { require.NoError(t, os.Remove(p.Cert)) }, "no such file"},
			{func() { writeFile(t, p.Cert, cert[:len(cert)/2]) }, "holds no certificate"},
		}
		for i, f := range faults {
			f.change()
			for range 3 {
				time.Sleep(certs.LookEvery)
				require.Equal(t, "old.example", namesOf(t, c, "old.example"), f.want)
				require.Equal(t, "other.example", namesOf(t, c, "other.example"))
			}
			assert.Equal(t, i+1, said.count("ERROR"), "once for each change\n%s", said)
			assert.Contains(t, said.String(), f.want)
		}
		writeFile(t, p.Cert, cert)
		writeFile(t, p.Key, key)
		time.Sleep(certs.LookEvery)
		assert.Equal(t, "new.example", namesOf(t, c, "new.example"))
		assert.Equal(t, len(faults), said.count("ERROR"))
	})
}

func TestLoadingAnewLooksAtOnce(t *testing.T) {
	log, said := newLog()
	kept, changed := newPair(t, "kept.example"), newPair(t, "changed.example")
	old, err := LoadCertificates([]certs.Pair{kept, changed}, nil, log)
	require.NoError(t, err)
	cert, key := newPEM(t, inHalfAYear(), "new.example")
	writeFile(t, changed.Cert, cert)
	writeFile(t, changed.Key, key)
	writeFile(t, kept.Key, nil)
	added := newPair(t, "added.example")

	c, err := LoadCertificates([]certs.Pair{kept, changed, added}, old, log)
	require.NoError(t, err)
	for _, name := range []string{"kept.example", "new.example", "added.example"} {
		assert.Equal(t, name, namesOf(t, c, name))
	}
	assert.Equal(t, 1, said.count("ERROR"), "%s", said)
	assert.Contains(t, said.String(), "the one before stays in use")

	_, err = LoadCertificates([]certs.Pair{kept, {Cert: "missing.pem", Key: "missing.pem"}}, old, log)
	require.ErrorContains(t, err, "missing.pem", "what was never in use is an error")
	_, err = LoadCertificates([]certs.Pair{{Cert: added.Cert, Key: kept.Key}}, old, log)
	require.ErrorContains(t, err, kept.Key, "the pair is another")
	assert.Equal(t, "kept.example", namesOf(t, old, "kept.example"))

	_, err = LoadCertificates(nil, nil, log)
	require.Error(t, err)
}

func TestSessionsResumeAcrossAReload(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			log, _ := newLog()
			p := newPair(t, "a.example")
			c, err := LoadCertificates([]certs.Pair{p}, nil, log)
			require.NoError(t, err)
			config := TLSConfig(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return c.For(hello) })
			client := &tls.Config{
				ServerName: "a.example", InsecureSkipVerify: true, MaxVersion: version,
				ClientSessionCache: tls.NewLRUClientSessionCache(1),
			}
			state, err := shake(config, client)
			require.NoError(t, err)
			require.False(t, state.DidResume)
			c, err = LoadCertificates([]certs.Pair{p}, c, log)
			require.NoError(t, err)
			state, err = shake(config, client)
			require.NoError(t, err)
			assert.True(t, state.DidResume)
		})
	}
}

func TestWhatIsNegotiated(t *testing.T) {
	log, _ := newLog()
	c, err := LoadCertificates([]certs.Pair{newPair(t, "a.example")}, nil, log)
	require.NoError(t, err)
	for _, tc := range []struct {
		offered []string
		want    string
	}{
		{[]string{"http/1.1", "h2"}, "h2"},
		{[]string{"h2"}, "h2"},
		{[]string{"http/1.1"}, "http/1.1"},
		{nil, ""},
	} {
		state, err := shake(TLSConfig(c.For), &tls.Config{InsecureSkipVerify: true, NextProtos: tc.offered})
		require.NoError(t, err)
		assert.Equal(t, tc.want, state.NegotiatedProtocol)
		assert.Equal(t, "TLS 1.3", tls.VersionName(state.Version))
	}
	_, err = shake(TLSConfig(c.For), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"gopher"}})
	require.ErrorContains(t, err, "no application protocol")
	_, err = shake(TLSConfig(c.For), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	require.ErrorContains(t, err, "protocol version")
}

func TestDatesAreWarnedOf(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		until time.Time
		want  string // empty for no warning
	}{
		{time.Now().Add(15 * day), ""},
		{time.Now().Add(13 * day), "expires within 14 days"},
		{time.Now().Add(-time.Minute), "has expired"},
		{time.Now().Add(366 * day), "is not valid yet"},
	} {
		p := newPair(t, "a.example")
		cert, key := newPEM(t, tc.until, "a.example")
		writeFile(t, p.Cert, cert)
		writeFile(t, p.Key, key)
		log, said := newLog()
		var c *Certificates
		for range 2 { // at start and at reload
			said.Reset()
			var err error
			c, err = LoadCertificates([]certs.Pair{p}, c, log)
			require.NoError(t, err)
			if tc.want == "" {
				assert.Empty(t, said.String())
				continue
			}
			assert.Equal(t, 1, said.count("WARN"), "%s", said)
			assert.Contains(t, said.String(), tc.want)
			assert.Contains(t, said.String(), p.Cert)
		}
	}
}
