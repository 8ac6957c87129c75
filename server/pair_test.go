package server

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadNamesTheFileAtFault(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	cert, key := newPEM(t, inHalfAYear(), "a.example")
	other, otherKey := newPEM(t, inHalfAYear(), "b.example")
	rsaCert, _ := newRSAPEM(t, inHalfAYear(), "c.example")
	for name, data := range map[string][]byte{
		"cert": cert, "key": key, "other-key": otherKey, "rsa": rsaCert, "empty": nil, "text": []byte("hello"),
		"chain": append(bytes.Clone(other), cert...), "good-chain": append(bytes.Clone(cert), other...),
		"half":      bytes.Replace(cert, []byte("MII"), []byte("MIJ"), 1),
		"encrypted": bytes.ReplaceAll(key, []byte("PRIVATE"), []byte("ENCRYPTED PRIVATE")),
		"legacy":    []byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n"),
		"large":     bytes.Repeat([]byte("#\n"), maxPEM),
	} {
		writeFile(t, in(name), data)
	}
	require.NoError(t, os.Mkdir(in("folder"), 0o700))
	for _, tc := range []struct{ cert, key, fault, want string }{
		{"missing", "key", "missing", "certificate: stat "},
		{"cert", "missing", "missing", "key: stat "},
		{"folder", "key", "folder", "is no regular file; name a PEM file"},
		{"large", "key", "large", "larger than 1 MiB; is this the right file?"},
		{"empty", "key", "empty", "holds no certificate in PEM form"},
		{"text", "key", "text", "holds no certificate in PEM form"},
		{"key", "cert", "key", "holds no certificate in PEM form"},
		{"cert", "cert", "cert", "holds no private key in PEM form"},
		{"cert", "encrypted", "encrypted", "is encrypted; decrypt it"},
		{"cert", "legacy", "legacy", "is encrypted; decrypt it"},
		{"cert", "other-key", "other-key", "private key does not match public key; the server's own certificate must come first"},
		{"rsa", "key", "key", "private key type does not match public key type; "},
		{"chain", "key", "chain", "the server's own certificate must come first"},
		{"half", "key", "half", "malformed certificate"},
	} {
		t.Run(tc.cert+" "+tc.key, func(t *testing.T) {
			_, err := Pair{in(tc.cert), in(tc.key)}.Load()
			require.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, in(tc.fault))
		})
	}
	pair, err := Pair{in("good-chain"), in("key")}.Load()
	require.NoError(t, err)
	assert.Len(t, pair.Certificate, 2, "with what stands between it and its root")
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
			c, err = LoadCertificates([]Pair{p}, c, log)
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
