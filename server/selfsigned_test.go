package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func openCAIn(t *testing.T, folder string) (*SelfSigned, *x509.CertPool) {
	t.Helper()
	s, err := OpenSelfSigned(folder)
	require.NoError(t, err)
	data, err := os.ReadFile(s.File())
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(data))
	return s, roots
}

// contents are the files of a folder with what they hold.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	all := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		all[filepath.Base(name)] = string(data)
	}
	return all
}

func TestClientsThatTrustTheCATrustEveryName(t *testing.T) {
	s, roots := openCAIn(t, t.TempDir())
	for _, name := range []string{"localhost", "shop.example.com", "SHOP.example.com", "xn--bcher-kva.example", "a_b.test", strings.Repeat("a.", 100) + "example"} {
		_, err := shake(TLSConfig(s.For), &tls.Config{ServerName: name, RootCAs: roots})
		assert.NoError(t, err, name)
	}
	for _, ip := range []string{"127.0.0.1", "::1"} { // clients do not send them
		_, err := shake(TLSConfig(s.For), &tls.Config{ServerName: ip, RootCAs: roots})
		assert.NoError(t, err, ip)
	}
	_, err := shake(TLSConfig(s.For), &tls.Config{ServerName: "192.0.2.1", RootCAs: roots})
	assert.ErrorContains(t, err, "192.0.2.1", "nobody has connected to this address")
}

// connectedTo is a connection that the client made to an address.
type connectedTo struct {
	net.Conn
	addr string
}

func (c connectedTo) LocalAddr() net.Addr { return fakeAddr(c.addr) }

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }

func TestWithoutANameTheAddressCounts(t *testing.T) {
	s, roots := openCAIn(t, t.TempDir())
	for _, tc := range []struct{ addr, ip string }{
		{"192.0.2.1:8443", "192.0.2.1"},
		{"[::ffff:192.0.2.2]:8443", "192.0.2.2"},
		{"[2001:db8::1]:8443", "2001:db8::1"},
		{"[fe80::1%eth0]:8443", "fe80::1"},
		{"127.0.0.1:8443", "127.0.0.1"},
		{"192.0.2.1:8443", "::1"},
		{"pipe", "127.0.0.1"},
	} {
		cert, err := s.For(&tls.ClientHelloInfo{Conn: connectedTo{addr: tc.addr}})
		require.NoError(t, err)
		_, err = cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: tc.ip})
		assert.NoError(t, err, tc)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	s, roots := openCAIn(t, t.TempDir())
	for _, name := range []string{
		"*.example.com", "a b", "a..b", ".a", "a.", "-a.example", "a-.example", "ä.example", "a/b", "a\x00b",
		"192.0.2.1", "example.1", "::1", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 127) + "aa",
	} {
		cert, err := s.For(&tls.ClientHelloInfo{ServerName: name})
		require.NoError(t, err, name)
		assert.Nil(t, cert, name)
	}
	_, err := shake(TLSConfig(s.For), &tls.Config{ServerName: "*.example.com", RootCAs: roots})
	require.ErrorContains(t, err, "unrecognized name")
}

func TestLeavesAreMadeAnewInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := openCAIn(t, t.TempDir())
		get := func() *x509.Certificate {
			cert, err := s.For(&tls.ClientHelloInfo{ServerName: "a.example"})
			require.NoError(t, err)
			return cert.Leaf
		}
		first := get()
		assert.Equal(t, 90*24*time.Hour, time.Until(first.NotAfter))
		time.Sleep(59 * 24 * time.Hour)
		assert.True(t, first.Equal(get()), "it is kept")
		time.Sleep(2 * 24 * time.Hour)
		assert.False(t, first.Equal(get()), "it is made anew")
		assert.Greater(t, time.Until(get().NotAfter), 89*24*time.Hour)
	})
}

func TestLeavesAreBounded(t *testing.T) {
	s, _ := openCAIn(t, t.TempDir())
	for i := range maxLeaves + 10 {
		_, err := s.For(&tls.ClientHelloInfo{ServerName: fmt.Sprintf("n%d.example", i)})
		require.NoError(t, err)
	}
	assert.Len(t, s.leaves, maxLeaves)
}

func TestTheCAIsMadeOnce(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not", "there", "yet")
	var wg sync.WaitGroup
	for range 8 { // processes that start at the same time
		wg.Go(func() {
			_, err := OpenSelfSigned(folder)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	made := contents(t, folder)
	require.Len(t, made, 2, "the CA, and nothing half done")
	info, err := os.Stat(filepath.Join(folder, "ca-key.pem"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	s, roots := openCAIn(t, folder)
	assert.Equal(t, filepath.Join(folder, "ca.pem"), s.File())
	assert.Equal(t, made, contents(t, folder))
	ca := s.ca.Leaf
	assert.Contains(t, ca.Subject.String(), "cacheproxy development CA")
	assert.Equal(t, "ECDSA", ca.PublicKeyAlgorithm.String())
	assert.InDelta(t, 10*365.25, time.Until(ca.NotAfter).Hours()/24, 2)
	_, err = shake(TLSConfig(s.For), &tls.Config{ServerName: "a.example", RootCAs: roots})
	assert.NoError(t, err)

	// An interrupted first use is completed.
	require.NoError(t, os.Remove(s.File()))
	s, _ = openCAIn(t, folder)
	assert.Equal(t, made["ca-key.pem"], contents(t, folder)["ca-key.pem"])
	assert.NoError(t, s.ca.Leaf.CheckSignatureFrom(s.ca.Leaf))
}

func TestABrokenCAIsLeftAlone(t *testing.T) {
	cert, key := newPEM(t, inHalfAYear(), "a.example")
	for name, tc := range map[string]struct {
		ruin func(t *testing.T, ca, key string)
		want string
	}{
		"broken certificate":  {func(t *testing.T, ca, _ string) { writeFile(t, ca, []byte("x")) }, "holds no certificate in PEM form"},
		"empty certificate":   {func(t *testing.T, ca, _ string) { writeFile(t, ca, nil) }, "holds no certificate in PEM form"},
		"broken key":          {func(t *testing.T, _, k string) { writeFile(t, k, []byte("x")) }, "holds no private key in PEM form"},
		"key of another":      {func(t *testing.T, _, k string) { writeFile(t, k, key) }, "does not match"},
		"no key":              {func(t *testing.T, _, k string) { require.NoError(t, os.Remove(k)) }, "ca-key.pem is missing beside ca.pem; put it back"},
		"no authority":        {func(t *testing.T, ca, k string) { writeFile(t, ca, cert); writeFile(t, k, key) }, "is no certificate of an authority"},
		"broken key, no cert": {func(t *testing.T, ca, k string) { require.NoError(t, os.Remove(ca)); writeFile(t, k, key[:50]) }, "ca-key.pem holds no usable key"},
		"expired":             {func(*testing.T, string, string) { time.Sleep(caYears * 366 * 24 * time.Hour) }, "ca.pem has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				folder := t.TempDir()
				openCAIn(t, folder)
				tc.ruin(t, filepath.Join(folder, "ca.pem"), filepath.Join(folder, "ca-key.pem"))
				before := contents(t, folder)
				_, err := OpenSelfSigned(folder)
				require.ErrorContains(t, err, tc.want)
				assert.ErrorContains(t, err, "development CA in "+folder)
				assert.ErrorContains(t, err, "delete ca.pem and ca-key.pem to have a new CA made")
				assert.Equal(t, before, contents(t, folder))
			})
		})
	}
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, nil)
	_, err := OpenSelfSigned(filepath.Join(file, "cacheproxy"))
	require.ErrorContains(t, err, file)
	assert.ErrorContains(t, err, "make the folder writable")
}
