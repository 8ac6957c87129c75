package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pages is an origin of many pages that counts what it is asked.
type pages struct {
	*httptest.Server
	asked atomic.Int64
}

func newPages(t *testing.T) *pages {
	p := new(pages)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = w.Write(pageOf(r.URL.Path))
	}))
	t.Cleanup(p.Close)
	return p
}

// pageOf is the content of a page, 200 to 800 bytes of it.
func pageOf(path string) []byte {
	return []byte(strings.Repeat(path+"\n", (200+len(path)*37%600)/(len(path)+1)))
}

// replay asks for every step-th page and returns how many the origin was asked for.
func replay(t *testing.T, p *proxy, o *pages, pages, step int) (missed int64) {
	t.Helper()
	client, before := newClient(t), o.asked.Load()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				i := (int(next.Add(1)) - 1) * step
				if i >= pages {
					return
				}
				path := fmt.Sprintf("/page/%d", i)
				body, err := page(client, p, path)
				if !assert.NoError(t, err) || !assert.Equal(t, string(pageOf(path)), string(body)) {
					return
				}
			}
		})
	}
	wg.Wait()
	return o.asked.Load() - before
}

// page is what a client of the site gets. The site's name is part of the keys, and
// stays when the proxy comes back on another port.
func page(client *http.Client, p *proxy, path string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, p.url(path), nil)
	if err != nil {
		return nil, err
	}
	r.Host = "site.test"
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// withSnapshot starts a proxy that has a snapshot file.
func withSnapshot(t *testing.T, o *pages, file string) *proxy {
	t.Helper()
	config := filepath.Join(t.TempDir(), "proxy.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "snapshot: {file: %q}\n", file), 0o600))
	return launch(t, o.URL, "--config", config)
}

func cacheproxy(t *testing.T, p *proxy, stdin string, args ...string) string {
	t.Helper()
	cmd := command(args...)
	cmd.Env = append(cmd.Env, "CACHEPROXY_ADMIN="+p.admin)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

var lostText = regexp.MustCompile(`(\d+) are lost`)

// A snapshot that was saved under load is there after the process was killed: the hits
// go on. What is damaged or cut off is lost, and nothing else.
func TestSnapshotOutlivesAKill(t *testing.T) {
	const n, step = 100_000, 23
	o := newPages(t)
	file := filepath.Join(t.TempDir(), "cache.snapshot")
	first := withSnapshot(t, o, file)
	var urls strings.Builder
	for i := range n {
		fmt.Fprintf(&urls, "http://site.test/page/%d\n", i)
	}
	out := cacheproxy(t, first, urls.String(), "warm", "--list", "-", "--rate", "10000")
	require.Contains(t, out, "100000 of 100000 URLs: 100000 stored")
	before := replay(t, first, o, n, step)

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		client := newClient(t)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_, _ = page(client, first, fmt.Sprintf("/other/%d", i))
				_, _ = page(client, first, fmt.Sprintf("/page/%d", i*7%n))
			}
		}
	}()
	t.Log(cacheproxy(t, first, "", "snapshot", "save", file))
	close(stop)
	<-stopped
	_, err := first.end(syscall.SIGKILL)
	require.NoError(t, err)

	second := withSnapshot(t, o, file)
	t.Log(second.stderr)
	assert.NotContains(t, second.stderr.String(), "lost")
	after := replay(t, second, o, n, step)
	assert.LessOrEqual(t, after, before+int64(n/step/1000), "of %d", n/step)
	_, err = second.end(syscall.SIGKILL)
	require.NoError(t, err)

	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	flipped := append([]byte(nil), whole...)
	for i := 1; i <= 5; i++ {
		flipped[len(flipped)/6*i] ^= 0x10
	}
	for name, tc := range map[string]struct {
		in          []byte
		least, most int64 // entries that are lost
	}{
		"flipped": {flipped, 1, 5},
		"cut off": {whole[:len(whole)/2], n * 4 / 10, n * 6 / 10},
	} {
		damaged := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(damaged, tc.in, 0o600))
		p := withSnapshot(t, o, damaged)
		found := lostText.FindStringSubmatch(p.stderr.String())
		require.NotNil(t, found, "%s: %s", name, p.stderr)
		lost, _ := strconv.ParseInt(found[1], 10, 64)
		assert.GreaterOrEqual(t, lost, tc.least, name)
		assert.LessOrEqual(t, lost, tc.most, name)
		_, err = p.end(syscall.SIGKILL)
		require.NoError(t, err)
	}
}

// What was purged does not come back after a kill with the snapshot from before it, and
// the rest does.
func TestWhatWasPurgedStaysGone(t *testing.T) {
	o := newPages(t)
	file := filepath.Join(t.TempDir(), "cache.snapshot")
	first := withSnapshot(t, o, file)
	require.EqualValues(t, 50, replay(t, first, o, 50, 1))
	cacheproxy(t, first, "", "snapshot", "save", file)
	require.Contains(t, cacheproxy(t, first, "", "purge", "--glob", "site.test/page/1*"), "11 stored responses purged")
	_, err := first.end(syscall.SIGKILL)
	require.NoError(t, err)

	second := withSnapshot(t, o, file)
	assert.Contains(t, second.stderr.String(), "11 were purged since")
	assert.EqualValues(t, 11, replay(t, second, o, 50, 1))
	_, err = second.end(syscall.SIGTERM)
	require.NoError(t, err)

	third := withSnapshot(t, o, file)
	assert.Zero(t, replay(t, third, o, 50, 1), "what was fetched after the purge is not purged again")
	_, err = third.end(syscall.SIGTERM)
	require.NoError(t, err)
}

// A stop in peace saves, and a start loads: without a word from anybody.
func TestSnapshotGoesOverARestart(t *testing.T) {
	o := newPages(t)
	file := filepath.Join(t.TempDir(), "cache.snapshot")
	p := withSnapshot(t, o, file)
	require.EqualValues(t, 50, replay(t, p, o, 50, 1))
	_, err := p.end(syscall.SIGTERM)
	require.NoError(t, err)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again := withSnapshot(t, o, file)
	assert.Zero(t, replay(t, again, o, 50, 1))
	_, err = again.end(syscall.SIGTERM)
	require.NoError(t, err)
}
