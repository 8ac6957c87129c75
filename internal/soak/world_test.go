//go:build linux

package soak

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/internal/siege/rig"
)

// world is the proxy, its origins, and what clients know.
type world struct {
	*testing.T
	ctx    context.Context // of requests
	over   context.Context // done when clients shall end
	ledger *ledger
	tally  tally
	atWork sync.RWMutex // held by clients during an act, so that a pause can be had

	site    *site
	steady  *origin
	moody   *moods
	proxy   *rig.Proxy
	tlsAddr string
	folder  string // of the configuration
	ways    []*way
	known   map[string]*[pages]atomic.Int64 // by scheme: versions of which clients know that they are there

	weather weather
}

func newWorld(t *testing.T, over context.Context) *world {
	w := &world{T: t, ctx: t.Context(), over: over, ledger: new(ledger), site: new(site), folder: t.TempDir(), tlsAddr: rig.FreeAddr(t)}
	w.steady, w.moody = newOrigins(t, w.ledger, w.site)
	w.certify()
	w.configure(config{})
	w.proxy = rig.StartProxy(t, "--config", w.file())
	w.proxy.WaitListening(t, w.tlsAddr)
	w.ways = w.newWays()
	w.known = map[string]*[pages]atomic.Int64{}
	for _, way := range w.ways {
		w.known[way.scheme] = new([pages]atomic.Int64)
		t.Cleanup(way.http.CloseIdleConnections)
	}
	return w
}

func (w *world) confirmed(scheme string, key int) *atomic.Int64 { return &w.known[scheme][key] }

func (w *world) file() string { return filepath.Join(w.folder, "cacheproxy.yaml") }

// config is what changes of the configuration.
type config struct {
	size    string        // of the cache; 64MiB if empty
	connect time.Duration // to origins; 5 s if zero. A change of it replaces origins and their connections
	more    string        // lines
}

// configure replaces the file, as editors and orchestrators do.
func (w *world) configure(c config) {
	if c.size == "" {
		c.size = "64MiB"
	}
	if c.connect == 0 {
		c.connect = 5 * time.Second
	}
	text := fmt.Sprintf(`admin: {pprof: true}
tls:
  listen: %s
  certificates: [{cert: %s, key: %s}]
access_log: {output: %s}
cache: {size: %s}
timeouts: {connect: %s}
routes:
  - {host: steady.test, origin: "http://%s"}
  - host: steady.test
    path: /static/
    origin: http://%s
    rules: [{ttl: 2s}]
  - {host: moody.test, origin: "http://%s"}
%s`, w.tlsAddr, filepath.Join(w.folder, "cert.pem"), filepath.Join(w.folder, "key.pem"), filepath.Join(w.folder, "access.log"),
		c.size, c.connect, w.steady.addr, w.steady.addr, w.moody.addr, c.more)
	next := w.file() + ".next"
	require.NoError(w, os.WriteFile(next, []byte(text), 0o600))
	require.NoError(w, os.Rename(next, w.file()))
}

// certify makes a certificate for the proxy.
func (w *world) certify() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(w, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "soak"}, DNSNames: []string{"steady.test", "moody.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(60 * 24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(w, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(w, err)
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret},
	} {
		require.NoError(w, os.WriteFile(filepath.Join(w.folder, name), pem.EncodeToMemory(block), 0o600))
	}
}
