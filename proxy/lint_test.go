package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/explain"
	"cacheproxy/lint"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// The linter sees what the origin sent, and not what rules make of it; answers from
// the store do not count.
func TestLint(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("Cache-Control", "private, public")
		w.Header().Set("Etag", `"a"`)
		w.Header().Set("Content-Type", "text/css")
		_, _ = w.Write([]byte("a"))
	}))
	defer server.Close()
	o, err := origin.New(server.URL, origin.Options{})
	require.NoError(t, err)
	defer o.Close()
	l := lint.New()
	base := proxy.Settings{Rules: policy.DefaultRules(), ResponseEdit: proxy.HeaderEdit{Set: http.Header{"Cache-Control": {"max-age=60"}}}}
	s := explain.Setup{
		Config:    &proxy.Config{Name: "c", Token: "t", Lint: l, Routes: []*proxy.Route{{Name: "site", Origin: o, Base: base}}},
		MaxObject: 1 << 20, MaxVariants: 8,
	}
	r, err := explain.Offline(t.Context(), s, explain.Request{URL: "http://e.example/a.css?b=c", Twice: true})
	require.NoError(t, err)
	assert.Equal(t, "HIT", r.Answers[1].Result)
	var kinds []lint.Kind
	for _, f := range l.Findings() {
		kinds = append(kinds, f.Kind)
		assert.EqualValues(t, 1, f.Count)
		assert.Equal(t, "site", f.Route)
		assert.Equal(t, "e.example/a.css?b=c", f.Example)
	}
	assert.ElementsMatch(t, []lint.Kind{lint.Contradiction, lint.DateMissing}, kinds)
}
