package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadNamesTheFileAtFault(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	cert, key := newPEM(t, newKey(t))
	other, otherKey := newPEM(t, newKey(t))
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaCert, _ := newPEM(t, rsaKey)
	for name, data := range map[string][]byte{
		"cert": cert, "key": key, "other-key": otherKey, "rsa": rsaCert, "empty": nil, "text": []byte("hello"),
		"chain": append(bytes.Clone(other), cert...), "good-chain": append(bytes.Clone(cert), other...),
		"half":      bytes.Replace(cert, []byte("\nMI"), []byte("\nAA"), 1),
		"encrypted": bytes.ReplaceAll(key, []byte("PRIVATE"), []byte("ENCRYPTED PRIVATE")),
		"legacy":    []byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n"),
		"large":     bytes.Repeat([]byte("#\n"), mostPEM),
	} {
		require.NoError(t, os.WriteFile(in(name), data, 0o600))
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
		{"cert", "other-key", "other-key", "private key does not match public key; the certificate that the key was made for must come first"},
		{"rsa", "key", "key", "private key type does not match public key type; "},
		{"chain", "key", "chain", "the certificate that the key was made for must come first"},
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

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

// newPEM makes a certificate that signs itself.
func newPEM(t *testing.T, k crypto.Signer) (cert, key []byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}
