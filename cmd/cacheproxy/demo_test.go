package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/origin"
	"cacheproxy/origin/upstream"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

// TestTourKeepsItsPromises takes the tour, in the order in which it is printed.
func TestTourKeepsItsPromises(t *testing.T) {
	c, err := demoConfig("http://demo.test", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, c.Validate())
	synctest.Test(t, func(t *testing.T) {
		behind, front := newPipes(), newPipes()
		demo := newDemoOrigin()
		originServer := &http.Server{Handler: demo}
		go originServer.Serve(behind)
		defer originServer.Close()

		u, err := upstream.New(upstream.Options{
			Targets: []upstream.Target{{URL: c.Origin}}, Origin: origin.Options{Dial: behind.dial},
		})
		require.NoError(t, err)
		defer u.Close()
		store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: int64(c.Cache.Size)})
		require.NoError(t, err)
		defer store.Close()
		fetcher := revalidate.New(revalidate.Options{Store: store, MaxObject: int64(c.Cache.MaxObject), MaxVariants: c.Cache.MaxVariants})
		defer fetcher.Close()
		wired, err := wire(c, "token", &wiring{proxy: &proxy.Config{}, log: slog.New(slog.DiscardHandler), origins: origins{originKey(c, c.Origin): u}})
		require.NoError(t, err)
		s := server.New(front, server.Options{Handler: proxy.New(fetcher, wired.proxy, nil)})
		go s.Serve()
		defer s.Close()
		transport := &http.Transport{DialContext: front.dial, DisableCompression: true}
		defer transport.CloseIdleConnections()

		for _, step := range tour {
			take(t, &step, transport, demo)
		}
	})
}

// take makes the requests of a step and compares the answers with the promises.
func take(t *testing.T, step *stop, client http.RoundTripper, demo *demoOrigin) {
	t.Helper()
	var want, got []string
	var mu sync.Mutex
	var wg sync.WaitGroup
	before := demo.requests.Load()
	for _, a := range step.asks {
		time.Sleep(a.wait)
		asked := demo.requests.Load()
		if a.status != 0 {
			want = append(want, fmt.Sprintf("%d cacheproxy; %s", a.status, a.cache))
		}
		wg.Go(func() {
			line := answer(t, client, &a)
			mu.Lock()
			defer mu.Unlock()
			if a.status != 0 {
				got = append(got, line)
			}
		})
		if step.atOnce {
			continue
		}
		wg.Wait()
		synctest.Wait() // a refresh in the background is done
		hit := strings.HasPrefix(a.cache, "hit") && !strings.Contains(a.cache, "while-revalidate")
		assert.True(t, a.status == 0 || hit == (asked == demo.requests.Load()), "%s: %s: whether the origin was asked", step.title, a.cache)
	}
	wg.Wait()
	if step.atOnce {
		slices.Sort(want)
		slices.Sort(got)
		assert.Equal(t, before+1, demo.requests.Load(), "%s: requests to the origin", step.title)
	}
	assert.Equal(t, want, got, step.title)
}

var ttl = regexp.MustCompile(`ttl=(-?)\d+`)

// answer returns the status and Cache-Status of the answer, as a promise words them.
func answer(t *testing.T, client http.RoundTripper, a *ask) string {
	r, err := http.NewRequest(a.method, "http://cache.test"+a.path, nil)
	if !assert.NoError(t, err) {
		return ""
	}
	if name, value, ok := strings.Cut(a.field, ": "); ok {
		r.Header.Set(name, value)
	}
	resp, err := client.RoundTrip(r)
	if !assert.NoError(t, err) {
		return ""
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	assert.NoError(t, err)
	return fmt.Sprintf("%d %s", resp.StatusCode, ttl.ReplaceAllString(resp.Header.Get("Cache-Status"), "ttl=${1}N"))
}

func TestPrintedTourShowsEveryAsk(t *testing.T) {
	var out strings.Builder
	printTour(&out, "http://cache.test", "http://admin.test")
	text := out.String()
	for i, step := range tour {
		at := strings.Index(text, fmt.Sprintf("\n%2d. %s\n", i+1, step.title))
		require.GreaterOrEqual(t, at, 0, step.title)
		text = text[at:]
		for _, a := range step.asks {
			assert.Contains(t, text, a.curl("http://cache.test"))
			if a.status != 0 {
				assert.Contains(t, text, fmt.Sprintf("-> %d  cacheproxy; %s\n", a.status, a.cache))
			}
		}
	}
	assert.Contains(t, text, "curl -s http://admin.test/metrics")
}

func TestCurlLines(t *testing.T) {
	for _, tc := range []struct {
		ask  ask
		want string
	}{
		{ask{path: "/a", status: 200}, "curl -si http://h/a"},
		{ask{path: "/a"}, "curl -so /dev/null http://h/a"},
		{ask{path: "/a", status: 200, binary: true}, "curl -so /dev/null -D - http://h/a"},
		{ask{path: "/a", status: 200, method: "HEAD"}, "curl -sI http://h/a"},
		{ask{path: "/a", status: 204, method: "POST"}, "curl -si -X POST http://h/a"},
		{ask{path: "/a", status: 200, field: "A: b c", wait: 2 * time.Second}, "sleep 2; curl -si -H 'A: b c' http://h/a"},
	} {
		assert.Equal(t, tc.want, tc.ask.curl("http://h"))
	}
}

func TestDemoImageIsAnImage(t *testing.T) {
	img, err := png.Decode(bytes.NewReader(demoImage()))
	require.NoError(t, err)
	assert.Equal(t, 128, img.Bounds().Dx())
}

// TestDemoServesUntilItIsEnded also shows what happens when the usual port is taken.
func TestDemoServesUntilItIsEnded(t *testing.T) {
	if ln, err := net.Listen("tcp", demoListen); err == nil { // otherwise somebody else has it
		defer ln.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := demo(ctx, "", write, io.Discard)
		write.CloseWithError(io.EOF)
		ended <- err
	}()
	buf := make([]byte, 4096)
	n, err := read.Read(buf)
	require.NoError(t, err)
	addr := regexp.MustCompile(`^127\.0\.0\.1:8080 is taken, so the demo listens on (127\.0\.0\.1:\d+)\.\n`).FindSubmatch(buf[:n])
	require.NotNil(t, addr, "%s", buf[:n])
	go io.Copy(io.Discard, read)

	resp, err := http.Get("http://" + string(addr[1]) + "/")
	require.NoError(t, err)
	page, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	require.NoError(t, err)
	assert.Equal(t, demoPage, string(page))
	cancel()
	require.NoError(t, <-ended)
	_, err = net.Dial("tcp", string(addr[1]))
	assert.Error(t, err, "nobody listens any more")
}

func TestDemoRefusesAnAddressThatItCannotHave(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	noEnv := func(string) (string, bool) { return "", false }
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"taken", []string{"demo", "--listen", ln.Addr().String()}, exitFailed, ln.Addr().String()},
		{"not an address", []string{"demo", "--listen", "nowhere"}, exitUsage, `--listen: listen: "nowhere"`},
		{"an argument", []string{"demo", "now"}, exitUsage, `"now"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			assert.Equal(t, tc.code, run(t.Context(), tc.args, noEnv, &out, &errOut))
			assert.Contains(t, errOut.String(), tc.want)
			assert.Empty(t, out.String())
		})
	}
}

func TestReachable(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:1234": "127.0.0.1:1234",
		"[::]:1234":      "127.0.0.1:1234",
		"0.0.0.0:1234":   "127.0.0.1:1234",
		"[::1]:1234":     "[::1]:1234",
	} {
		addr, err := net.ResolveTCPAddr("tcp", listen)
		require.NoError(t, err)
		assert.Equal(t, want, reachable(addr))
	}
}

// pipes is a listener without a network: synctest knows when its connections wait.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
