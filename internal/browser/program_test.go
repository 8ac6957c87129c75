package browser

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program is the built binary before two origins that answer alike.
type program struct {
	*world
	first, second *httptest.Server
}

const debugToken = "browser-debug"

// newProgram starts the program, and ends it with the test.
func newProgram(t *testing.T) *program {
	p := &program{world: &world{T: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}}
	p.first, p.second = httptest.NewServer(http.HandlerFunc(p.answer)), httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(p.first.Close)
	t.Cleanup(p.second.Close)
	clients, operators := freeAddr(t), freeAddr(t)
	file := filepath.Join(t.TempDir(), "cacheproxy.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
listen: %s
admin: {listen: %q, debug_token: %s}
access_log: {mode: off}
cache: {size: 4MiB}
origin: shop
breaker: {failures: 3, time: 1h, max_time: 1h}
upstreams:
  - name: shop
    targets: [{url: %s}, {url: %s}]
`, clients, operators, debugToken, p.first.URL, p.second.URL), 0o600))
	cmd := exec.Command(binary, "--config", file)
	log := new(strings.Builder)
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		assert.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		err := cmd.Wait()
		assert.NoError(t, err, "%s", log)
	})
	p.url, p.admin = "http://"+clients, "http://"+operators
	require.Eventually(t, func() bool {
		resp, err := http.Get(p.admin + "/healthz")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, patience, 20*time.Millisecond)
	return p
}

// lastPort is the port that freeAddr tried last.
var lastPort atomic.Int32

func init() { lastPort.Store(20_000 + rand.Int32N(10_000)) }

// freeAddr is an address whose port is free, and below those that the system gives to
// others meanwhile.
func freeAddr(t *testing.T) string {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lastPort.Add(1)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("100 ports are taken, up to ", lastPort.Load())
	return ""
}

// ask requests a path, and returns the header of the answer.
func (p *program) ask(path string, fields ...string) http.Header {
	r, err := http.NewRequest(http.MethodGet, p.url+path, nil)
	require.NoError(p, err)
	r.Host = "shop.example"
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	resp, err := p.client.Do(r)
	require.NoError(p, err)
	require.NoError(p, resp.Body.Close())
	return resp.Header
}

func (p *program) hits(path string) bool {
	return strings.Contains(p.ask(path).Get("Cache-Status"), "; hit")
}

// openObject searches for an object, and opens it.
func (b *tab) openObject(part string) {
	b.Helper()
	b.fill("#objects-form [name=q]", part)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelectorAll("#objects-table tbody tr").length === 1 && document.querySelector("#objects-table").textContent.includes("` + part + `")`)
	b.click("#objects-table button")
	b.until(`document.querySelector("#detail").open`)
}

// deed presses a button of an object, and returns what it says then.
func (b *tab) deed(name, said string) string {
	b.Helper()
	value[bool](b, `([...document.querySelectorAll("#detail .deeds button")].find((e) => e.textContent === "`+name+`").click(), true)`)
	b.until(`document.querySelector("#object-said").textContent.includes("` + said + `") && !document.querySelector("#detail .deeds button:disabled")`)
	return b.texts("#object-said")[0]
}

// What is purged on the page is fetched anew by the next request; refreshed, it is new
// for all; and explained, the page tells why.
func TestDeeds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, scheme  string
		width, height int64
	}{{"light", "light", wide, high}, {"dark", "dark", wide, high}, {"phone", "light", 390, 844}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newProgram(t)
			defer p.load(4)()
			const path = "/deeds/1"
			p.ask(path)
			require.True(t, p.hits(path))
			b := newTab(t, tc.width, tc.height, tc.scheme)
			b.open(p.admin + "/ui/")
			b.openObject(path)
			for _, part := range []string{"http://shop.example" + path, "10 min 0 s, from max-age", "text/plain"} {
				assert.Contains(t, b.texts("#detail")[0], part)
			}
			assert.Contains(t, b.deed("Explain", "To get another result"), "fresh")
			b.deed("Refresh", "Stored anew: status 200")
			assert.True(t, p.hits(path))
			b.deed("Soft purge", "1 entry is stale from now on")
			assert.False(t, p.hits(path), "it is validated")
			assert.True(t, p.hits(path))
			b.deed("Purge", "1 entry is gone")
			assert.Empty(t, value[[]string](b, tooPale))
			b.picture("object-" + tc.name)
			assert.Contains(t, b.texts("#detail")[0], "Nothing is stored for it now")
			b.until(`document.querySelectorAll("#objects-table tbody tr").length === 0`)
			assert.Contains(t, p.ask(path).Get("Cache-Status"), "fwd=uri-miss")
			b.click("#detail-close")
			b.until(`document.querySelector("#purges-table tbody")?.textContent.includes("` + path + `")`)
			assert.Contains(t, b.texts("#purges-table tbody tr")[0], "127.0.0.1")
			assert.NotContains(t, b.texts("#purges-table tbody tr")[0], "NaN")
			assert.True(t, value[bool](b, "document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "no scroll sideways")
			for _, said := range b.said() { // of the look at what is gone
				assert.Regexp(t, "404 .*/api/objects/one", said)
			}
		})
	}
}

// A request that was sent with Cacheproxy-Debug has its trace on the page, another has not.
func TestTrace(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.ask("/account/1", "Cacheproxy-Debug", debugToken)
	p.ask("/account/2", "Cacheproxy-Debug", "a guess")
	b := newTab(t, wide, high, "light")
	b.open(p.admin + "/ui/")
	read := func(uri string) {
		b.fill("#requests-form [name=q]", uri)
		b.until(`(() => { const r = [...document.querySelectorAll("#requests-table tbody tr")]; return r.length === 1 && r[0].textContent.includes("` + uri + `"); })()`)
		b.press("#requests-table button")
		b.until(`document.querySelector("#detail").open && document.querySelector("#detail").textContent.includes("` + uri + `")`)
	}
	read("/account/1")
	steps := b.texts("#detail .trace li")
	require.Greater(t, len(steps), 5)
	all := strings.Join(steps, "\n")
	for _, part := range []string{"http://shop.example/account/1", "private", "RFC 9111"} {
		assert.Contains(t, all, part)
	}
	assert.NotEmpty(t, b.texts("#detail .advice li"))
	assert.NotContains(t, b.texts("#detail")[0], debugToken)
	b.picture("trace-light")
	b.click("#detail-close")
	b.until(`!document.querySelector("#detail").open`)
	read("/account/2")
	assert.Empty(t, b.texts("#detail .trace li"))
	b.click("#detail .deeds button")
	b.until(`document.querySelectorAll("#detail .trace li").length > 5`)
	assert.Contains(t, b.texts("#detail")[0], "Asked again: fetch, private")
	assert.Empty(t, b.said())
}

// A server that is gone is shown as what it is, beside one that answers.
func TestOriginsAreShown(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	b := newTab(t, wide, high, "light")
	b.open(p.admin + "/ui/")
	b.until(`document.querySelectorAll("#upstreams .tag.good").length === 2`)
	p.first.CloseClientConnections()
	p.first.Close()
	for i := range 12 {
		assert.Equal(t, 200, p.get(fmt.Sprintf("/account/%d", i)), "the other one answers")
	}
	b.until(`document.querySelector("#upstreams .tag.bad")`)
	rows := strings.Join(b.texts("#upstreams tbody tr"), "\n")
	assert.Regexp(t, "shop"+regexp.QuoteMeta(p.first.URL)+"open", rows)
	assert.Regexp(t, "shop"+regexp.QuoteMeta(p.second.URL)+"up", rows)
	assert.Contains(t, rows, "connection_refused")
	assert.Empty(t, b.said())
}
