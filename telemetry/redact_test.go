package telemetry

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedacted(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"a=b&c":                          "a=b&c",
		"x=1&Signature=abc&y=2":          "x=1&Signature=REDACTED&y=2",
		"SIG=abc":                        "SIG=REDACTED",
		"sig":                            "sig",
		"X-Goog-Signature=a%3Db&sign=ok": "X-Goog-Signature=REDACTED&sign=ok",
	} {
		assert.Equal(t, want, redacted(in))
	}
}

// No span has what signs a URL: not the request's, nor that of what the origin was asked.
func TestSecretsAreInNoSpan(t *testing.T) {
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.RawQuery) })
	w := newWorld(t, setup{sample: 1, targets: []string{origin}})
	w.get("/a?X-Amz-Signature=s3cret&b=c")
	all := w.finish()
	asked := attributes(find(t, all, onClient, "GET", "", nil).Attributes)
	assert.Equal(t, origin+"/a?X-Amz-Signature=REDACTED&b=c", asked["url.full"])
	for _, s := range all {
		assert.NotContains(t, fmt.Sprint(attributes(s.Attributes)), "s3cret", s.Name)
	}
	u, err := url.Parse("http://me:s3cret@h/")
	require.NoError(t, err)
	assert.Equal(t, "http://REDACTED:REDACTED@h/", full(u))
}
