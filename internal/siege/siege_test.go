//go:build linux

package siege

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/internal/siege/rig"
)

const (
	cacheSize = 64 << 20
	bound     = cacheSize + 128<<20 // of resident memory

	attackTime = 25 * time.Second // at least
	mostTime   = 3 * time.Minute  // until all that must be sent has been, on a busy machine

	// needFiles is what proxy and test need of open files, each: connections of
	// all attackers, in the proxy those to the origin too, and some.
	needFiles = 2 * 4096
)

func TestSiege(t *testing.T) {
	wantFiles(t)
	p := startProxy(t, startOrigin(t), "")
	g := newGood(t, p.Addr)
	g.warm()
	calm := settled(t, p.Proxy)
	t.Logf("before:  %s", calm)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a := &army{T: t, ctx: ctx, addr: p.Addr}
	start := time.Now()
	slow := a.launch(1)
	var wg sync.WaitGroup
	wg.Go(func() { g.run(ctx, 4, 5*time.Millisecond) })
	w := watch{Proxy: p.Proxy}
	wg.Go(func() { w.run(ctx) })
	for time.Since(start) < attackTime || !a.allSent() && time.Since(start) < mostTime {
		time.Sleep(100 * time.Millisecond)
	}
	amid, _, err := p.Goroutines()
	assert.NoError(t, err)
	stop()
	a.wg.Wait()
	wg.Wait()
	t.Logf("%s of attack:\n%s%s\n%s, %d goroutines at its end", time.Since(start).Round(time.Second), a.report(), g.report(), &w, amid)

	assert.True(t, a.allSent(), "all URLs and variants were asked for")
	assert.GreaterOrEqual(t, slow(), int64(2000), "slow connections at once")
	assert.Positive(t, g.stored.Load())
	assert.Less(t, w.peak, int64(bound), "resident memory, bytes: at most cache size + 128 MiB")
	wantCalm(t, p, calm)
}

// launch starts the whole attack, or a share of it, and gives the number of slow
// connections that there were at once.
func (a *army) launch(share int) (slow func() int64) {
	units := []*unit{
		a.attack("slow heads", 1200/share, slowHead),
		a.attack("slow readers", 400/share, slowRead),
		a.attack("slow contents", 400/share, slowContent),
	}
	a.attack("long heads", 300/share, longHead)
	a.attack("1 GiB bodies", 200/share, bigBody)
	a.attack("endless heads", 16, endlessHead)
	a.attack("variants", 16, varied())
	a.attack("1000 ranges", 2, manyRanges())
	a.attack("distinct URLs", 48, distinct())
	return func() (n int64) {
		for _, u := range units {
			n += u.most.Load()
		}
		return n
	}
}

// allSent says whether all variants and all distinct URLs have been asked for.
func (a *army) allSent() bool {
	for _, u := range a.units {
		u.mu.Lock()
		n := 0
		for _, times := range u.ended {
			n += times
		}
		u.mu.Unlock()
		if u.name == "variants" && n < variants || u.name == "distinct URLs" && n < eachKeys {
			return false
		}
	}
	return true
}

// wantFiles fails early, and says why, where not enough files may be open.
func wantFiles(t *testing.T) {
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	require.GreaterOrEqual(t, limit.Cur, uint64(needFiles), "open files: this test needs more; raise the limit with ulimit -n %d", needFiles)
}

// proxy is the one that is attacked. It runs with nothing but its size.
type proxy struct {
	*rig.Proxy
	t              *testing.T
	origin, folder string
}

// startProxy starts it, with more lines of configuration.
func startProxy(t *testing.T, origin, more string) *proxy {
	p := &proxy{t: t, origin: origin, folder: t.TempDir()}
	p.configure(more)
	p.Proxy = rig.StartProxy(t, "--config", p.file(), "--cache-size", "64MiB")
	return p
}

func (p *proxy) file() string { return filepath.Join(p.folder, "cacheproxy.yaml") }

// configure writes the configuration, which a running proxy soon takes in.
func (p *proxy) configure(more string) {
	text := fmt.Sprintf("origin: http://%s\nadmin: {pprof: true}\naccess_log: {output: %s}\n%s",
		p.origin, filepath.Join(p.folder, "access.log"), more)
	next := filepath.Join(p.folder, "next")
	require.NoError(p.t, os.WriteFile(next, []byte(text), 0o600))
	require.NoError(p.t, os.Rename(next, p.file()))
}
