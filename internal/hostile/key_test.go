package hostile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"cacheproxy/internal/witness"
	"cacheproxy/policy"
)

// deceptive are targets that some server takes for another one.
var deceptive = []string{
	"/account", "/account/", "/account/x.css", "/account/.css", "/account;x.css", "/account%3bx.css", "/account%3Bx.css", "/account%2fx.css", "/account%2Fx.css",
	"/account%252fx.css", "/account%00.css", "/account%0a.css", "/account%23x.css", "/account%3fx.css", "/account?x.css", "/account?", "/account??",
	"/account/../account", "/account/./", "/account/..%2faccount", "/account/%2e%2e/account", "/account/%2E%2e/account", "/account/%252e%252e/account",
	"/account/..;/account", "//account", "/account//", "/%61ccount", "/Account", "/account%20", "/account+", "/account%2b", `/account?\x.css`, "/account%5cx.css",
	"/account?a=1&b=2", "/account?b=2&a=1", "/account?a=1&a=2", "/account?a=1;b=2", "/account?a=%31", "/account?%61=1", "/account?a", "/account?a=", "/account?&a=1",
	"http://a.example/account", "http://A.EXAMPLE:80/account",
}

// mirror names what was asked for, in an answer for everybody.
func mirror(a *witness.Asked) string { return respond(200, "Cache-Control: max-age=600\r\n", a.Target) }

// requireOwn asks for a target twice. The key is what was forwarded, letter by
// letter, so that two keys are equal only when the origin cannot tell the requests
// apart; and the second answer is the first.
func requireOwn(t *testing.T, w *world, target string) {
	w.mu.Lock()
	w.keys = nil
	w.mu.Unlock()
	first := w.get(target)
	if first.status != 200 {
		assert.Equal(t, 400, first.status, "%q: it is answered or refused", target)
		return
	}
	second := w.get(target)
	w.mu.Lock()
	defer w.mu.Unlock()
	assert.Equal(t, []string{"http://a.example" + first.body, "http://a.example" + first.body}, w.keys, "%q: the key is what is forwarded", target)
	assert.Equal(t, first.body, second.body, "%q: the answer is that to what is forwarded", target)
}

func TestDeceptiveTargets(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.noLane, policy.DefaultRules(), mirror)
			for range 2 { // the second time the store is full of the others
				for _, target := range deceptive {
					requireOwn(t, w, target)
				}
			}
		})
	}
}

// TestDotSegmentsAreNeverStored: origins resolve them each in its own way.
func TestDotSegmentsAreNeverStored(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.noLane, policy.DefaultRules(), mirror)
			count := 0
			for _, target := range []string{"/a/../b", "/a/.", "/a/..", "/a/%2e%2e/b", "/a%2f..%2fb", "/a/.%2E", "/%2e/b"} {
				for range 2 {
					assert.Equal(t, target, w.get(target).body)
					count++
				}
			}
			all, _ := w.origin.All()
			assert.Len(t, all, count, "each of them is asked for anew")
		})
	}
}

// TestStaticSuffixesMakeNothingStatic: what a page says of itself counts, not how
// its URL ends.
func TestStaticSuffixesMakeNothingStatic(t *testing.T) {
	for _, says := range []string{"", "Cache-Control: private\r\n", "Cache-Control: no-store\r\n", "Set-Cookie: a=1\r\nCache-Control: max-age=600\r\n"} {
		w := newWorld(t, false, policy.DefaultRules(), func(a *witness.Asked) string {
			return respond(200, "Content-Type: text/html\r\n"+says, strings.Join(a.Values("Cookie"), ""))
		})
		for _, target := range deceptive {
			assert.Equal(t, "user=victim", w.get(target, "Cookie: user=victim").body)
			assert.Empty(t, w.get(target).body, "%s with %q", target, says)
		}
	}
}

func FuzzKeyIsWhatIsForwarded(f *testing.F) {
	for _, target := range deceptive {
		f.Add(target)
	}
	worlds := []*world{
		newWorld(f, false, policy.DefaultRules(), mirror),
		newWorld(f, true, policy.DefaultRules(), mirror),
	}
	f.Fuzz(func(t *testing.T, target string) {
		if strings.IndexFunc(target, func(c rune) bool { return c <= ' ' || c == 0x7f }) >= 0 || !strings.HasPrefix(target, "/") {
			return // the corpus has what is no target
		}
		for _, w := range worlds {
			w.TB = t
			requireOwn(t, w, target)
		}
	})
}
