//go:build linux

package siege

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/internal/siege/rig"
)

// watch keeps the most that a proxy takes.
type watch struct {
	*rig.Proxy
	peak, rss, anon int64
	files           int
}

func (w *watch) run(ctx context.Context) {
	for ctx.Err() == nil {
		u, err := w.Usage()
		if err != nil {
			return // it has ended, which others notice
		}
		w.peak, w.rss, w.anon = u.Peak, max(w.rss, u.RSS), max(w.anon, u.Anon)
		w.files = max(w.files, u.Files)
		time.Sleep(100 * time.Millisecond)
	}
}

func (w *watch) String() string {
	return fmt.Sprintf("resident memory at most %d MiB (VmHWM), of it anonymous %d MiB; %d files", w.peak>>20, w.anon>>20, w.files)
}

// calm is what a proxy takes when nobody asks it for anything.
type calm struct {
	goroutines int
	rig.Usage
	stacks string
}

func (c calm) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MiB resident", c.goroutines, c.Files, c.RSS>>20)
}

func look(t *testing.T, p *rig.Proxy) (c calm) {
	var err error
	c.goroutines, c.stacks, err = p.Goroutines()
	require.NoError(t, err)
	c.Usage, err = p.Usage()
	require.NoError(t, err)
	return c
}

// settled waits until three looks in a row see the same.
func settled(t *testing.T, p *rig.Proxy) (last calm) {
	same := 0
	rig.Eventually(t, func() bool {
		now := look(t, p)
		if now.goroutines == last.goroutines && now.Files == last.Files {
			same++
		} else {
			same = 0
		}
		last = now
		return same >= 3
	}, func() string { return last.String() + "\n" + last.stacks })
	return last
}

// wantCalm holds the proxy to what it took before the attack. Connections to the
// origin are kept on purpose, so a reload replaces the origin first.
func wantCalm(t *testing.T, p *proxy, before calm) {
	p.configure("timeouts: {connect: 4s}\n")
	var now calm
	rig.Eventually(t, func() bool {
		now = look(t, p.Proxy)
		return now.goroutines <= before.goroutines && now.Files <= before.Files
	}, func() string { return now.String() + "\n" + now.stacks })
	t.Logf("after:  %s", now)
}
