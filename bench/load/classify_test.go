package load

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dunglas/httpsfv"
	"github.com/stretchr/testify/assert"
)

// classified are responses of many caches.
var classified = []struct {
	fields string // name: value, with | between
	want   Result
	field  string
}{
	// RFC 9211
	{"Cache-Status: cacheproxy; hit; ttl=42", Hit, "Cache-Status"},
	{"Cache-Status: cacheproxy; hit; ttl=-3; detail=stale-while-revalidate", Stale, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=uri-miss; fwd-status=200; ttl=59; stored", Miss, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=vary-miss; stored; collapsed", Collapsed, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=uri-miss; collapsed=?0", Miss, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=stale; fwd-status=304; ttl=59", Revalidated, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=stale; fwd-status=200", Miss, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=method; fwd-status=204", Bypass, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=bypass", Bypass, "Cache-Status"},
	{"Cache-Status: cacheproxy; fwd=request; detail=request-no-cache", Miss, "Cache-Status"},
	{"Cache-Status: far; hit, near; fwd=uri-miss", Miss, "Cache-Status"},
	{"Cache-Status: far; fwd=uri-miss, near; hit", Hit, "Cache-Status"},
	{`Cache-Status: "a, b; hit"; fwd=uri-miss`, Miss, "Cache-Status"},
	{`Cache-Status: x; key="q;hit\", y"; fwd=uri-miss`, Miss, "Cache-Status"},
	{"Cache-Status: far; fwd=miss | Cache-Status: near; hit", Hit, "Cache-Status"},
	{"Cache-Status: silent | X-Cache: HIT", Hit, "X-Cache"},
	// nginx
	{"X-Cache-Status: HIT", Hit, "X-Cache-Status"},
	{"X-Cache-Status: EXPIRED", Miss, "X-Cache-Status"},
	{"X-Cache-Status: UPDATING", Stale, "X-Cache-Status"},
	{"X-Cache-Status: STALE", Stale, "X-Cache-Status"},
	{"X-Cache-Status: REVALIDATED", Revalidated, "X-Cache-Status"},
	{"X-Cache-Status: BYPASS", Bypass, "X-Cache-Status"},
	{"X-Cache-Status: ", Unknown, "none"},
	{"X-Proxy-Cache: MISS", Miss, "X-Proxy-Cache"},
	// CDNs
	{"Cf-Cache-Status: DYNAMIC", Bypass, "Cf-Cache-Status"},
	{"Cf-Cache-Status: HIT | Age: 0", Hit, "Cf-Cache-Status"},
	{"Cf-Cache-Status: NONE/UNKNOWN", Bypass, "Cf-Cache-Status"},
	{"X-Cache: Hit from cloudfront", Hit, "X-Cache"},
	{"X-Cache: Miss from cloudfront", Miss, "X-Cache"},
	{"X-Cache: RefreshHit from cloudfront", Revalidated, "X-Cache"},
	{"X-Cache: Error from cloudfront | Age: 5", Hit, "Age"},
	{"X-Cache: MISS, HIT", Hit, "X-Cache"},
	{"X-Cache: HIT, MISS", Miss, "X-Cache"},
	{"X-Cache: TCP_HIT from a1.deploy.akamaitechnologies.com (AkamaiGHost/9) (-)", Hit, "X-Cache"},
	{"X-Cache: TCP_REFRESH_HIT from a1 (AkamaiGHost/9)", Revalidated, "X-Cache"},
	{"Akamai-Cache-Status: HitStale from child", Stale, "Akamai-Cache-Status"},
	{"Cdn-Cache: HIT", Hit, "Cdn-Cache"},
	{"X-Vercel-Cache: PRERENDER", Hit, "X-Vercel-Cache"},
	// Squid, Varnish, and nothing but an age
	{"X-Cache: TCP_MEM_HIT", Hit, "X-Cache"},
	{"X-Cache: MISS from proxy.example:3128", Miss, "X-Cache"},
	{"X-Varnish: 32770", Miss, "X-Varnish"},
	{"X-Varnish: 32772 32771", Hit, "X-Varnish"},
	{"X-Varnish: ", Unknown, "none"},
	{"Age: 17", Hit, "Age"},
	{"Age: 0", Unknown, "none"},
	{"Age: old", Unknown, "none"},
	{"Server: nginx", Unknown, "none"},
	{"", Unknown, "none"},
}

func TestClassify(t *testing.T) {
	for _, tc := range classified {
		t.Run(tc.fields, func(t *testing.T) {
			h := http.Header{}
			for f := range strings.SplitSeq(tc.fields, "|") {
				if name, value, ok := strings.Cut(strings.TrimSpace(f), ":"); ok {
					h.Add(name, strings.TrimSpace(value))
				}
			}
			got, field := classify(h)
			assert.Equal(t, tc.want.String(), got.String())
			assert.Equal(t, tc.field, field)
		})
	}
}

func TestFieldsAreSpeltAsTheyAreKept(t *testing.T) {
	for _, j := range judges {
		assert.Equal(t, http.CanonicalHeaderKey(j.field), j.field)
	}
}

// FuzzCacheStatus compares our quick reading with that of a parser for structured
// fields, where that one accepts the text.
func FuzzCacheStatus(f *testing.F) {
	for _, s := range []string{
		"cacheproxy; hit; ttl=42", "a; hit, b; fwd=uri-miss", `"a, b"; fwd=stale; fwd-status=304`,
		`x; key="a\"; hit"; fwd=bypass`, "a;hit=?0;fwd=method", "a; ttl=-1; hit", ",", `"`, ";;", `a;b="\`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := judgeCacheStatus(text)
		assert.Less(t, got, resultCount)
		list, err := httpsfv.UnmarshalList([]string{text})
		if err != nil || len(list) == 0 {
			return
		}
		last, ok := list[len(list)-1].(httpsfv.Item)
		if !ok {
			return // an inner list names no cache
		}
		hit, _ := last.Params.Get("hit")
		_, forwarded := last.Params.Get("fwd")
		switch {
		case hit == true:
			assert.Contains(t, []Result{Hit, Stale}, got)
		case forwarded:
			assert.Contains(t, []Result{Miss, Bypass, Collapsed, Revalidated}, got)
		default:
			assert.Equal(t, Unknown, got)
		}
	})
}
