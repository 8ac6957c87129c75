package warm

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/trace"
)

func TestList(t *testing.T) {
	got, err := List("urls.txt", strings.NewReader("# all of them\n\n http://a/1 \r\nhttps://b/2?x=1\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"http://a/1", "https://b/2?x=1"}, got)
	for in, want := range map[string]string{
		"":                    "urls.txt: no URL in it",
		"# nothing\n":         "urls.txt: no URL in it",
		"http://a/\n/path\n":  `urls.txt:2: "/path" is no URL`,
		"file:///etc/passwd":  "is no URL",
		"javascript:alert(1)": "is no URL",
		"http://":             "is no URL",
		"http://a/\x00":       "is no URL",
		"http://a/\n" + strings.Repeat("x", mostURL+1): "urls.txt:2: the line is longer",
	} {
		_, err := List("urls.txt", strings.NewReader(in))
		assert.ErrorContains(t, err, want, "%.40q", in)
	}
	_, err = List("urls.txt", strings.NewReader(strings.Repeat("http://a/\n", MostURLs+1)))
	assert.ErrorContains(t, err, "urls.txt:1000001: more than 1000000 URLs")
}

func log(t *testing.T, lines ...string) *trace.Reader {
	r, err := trace.NewReader("access.log", strings.NewReader(strings.Join(lines, "\n")+"\n"))
	require.NoError(t, err)
	return r
}

func line(request string, status int) string {
	return fmt.Sprintf(`1.2.3.4 - - [10/Oct/2030:13:55:36 +0000] "%s HTTP/1.1" %d 100`, request, status)
}

func TestLog(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "site.test"}
	lines := []string{
		line("GET /b", 200), line("GET /a?x=1", 200), line("GET /c", 304), line("GET /a?x=1", 200), line("GET /b", 200), line("GET /a?x=1", 301),
		line("POST /b", 200), line("GET /gone", 404), line("GET /gone", 404), line("GET /gone", 500), line("HEAD /c", 200),
	}
	got, err := Log(log(t, lines...), base, 2)
	require.NoError(t, err)
	assert.Equal(t, []string{"https://site.test/a?x=1", "https://site.test/b"}, got)
	got, err = Log(log(t, lines...), base, 100)
	require.NoError(t, err)
	assert.Len(t, got, 3)

	_, err = Log(log(t, lines...), &url.URL{Scheme: "http"}, 2)
	assert.ErrorContains(t, err, "access.log names no hosts")
	_, err = Log(log(t, line("POST /", 200)), base, 2)
	assert.ErrorContains(t, err, "access.log has no GET")

	json := `{"time":"2030-10-10T13:55:36Z","method":"GET","host":"own.test","uri":"/x","status":200,"bytes":5}`
	got, err = Log(log(t, json), &url.URL{Scheme: "http"}, 5)
	require.NoError(t, err)
	assert.Equal(t, []string{"http://own.test/x"}, got, "of the log's own hosts")
}

func TestForgetRarest(t *testing.T) {
	counts := map[string]int{"often": 100, "more": 5}
	for i := range mostCounted {
		counts[fmt.Sprint(i)] = 1 + i%2
	}
	forgetRarest(counts)
	assert.LessOrEqual(t, len(counts), mostCounted/2+2)
	assert.Greater(t, counts["often"], counts["more"])
	assert.Positive(t, counts["more"])
}

// webOf serves files by path; those that end in .gz are packed.
func webOf(t *testing.T, files map[string]string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		text = strings.ReplaceAll(text, "HOST", r.Host)
		if strings.HasSuffix(r.URL.Path, ".gz") {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(text))
			_ = z.Close()
			text = b.String()
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(s.Close)
	return s
}

func urlset(locs ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">`)
	for _, l := range locs {
		fmt.Fprintf(&b, "<url><loc>%s</loc><lastmod>2030-01-01</lastmod><image:image><image:loc>http://images.test/1</image:loc></image:image></url>\n", l)
	}
	return b.String() + "</urlset>"
}

func index(locs ...string) string {
	var b strings.Builder
	b.WriteString(`<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
	for _, l := range locs {
		fmt.Fprintf(&b, "<sitemap><loc>%s</loc></sitemap>", l)
	}
	return b.String() + "</sitemapindex>"
}

func TestSitemap(t *testing.T) {
	s := webOf(t, map[string]string{
		"/sitemap.xml": index("http://HOST/one.xml", "http://HOST/two.xml.gz", "http://HOST/one.xml", "http://HOST/sitemap.xml"),
		"/one.xml":     urlset("http://site.test/a?x=1&amp;y=2", " http://site.test/b\n"),
		"/two.xml.gz":  urlset("https://site.test/c"),
	})
	got, err := Sitemap(t.Context(), s.Client(), s.URL+"/sitemap.xml")
	require.NoError(t, err)
	assert.Equal(t, []string{"http://site.test/a?x=1&y=2", "http://site.test/b", "https://site.test/c"}, got)
	got, err = Sitemap(t.Context(), s.Client(), s.URL+"/two.xml.gz")
	require.NoError(t, err)
	assert.Equal(t, []string{"https://site.test/c"}, got)
}

func TestSitemapRefusals(t *testing.T) {
	s := webOf(t, map[string]string{
		"/empty.xml":  "",
		"/html.xml":   "<html><body>welcome</body></html>",
		"/text.xml":   "welcome",
		"/cut.xml":    urlset("http://site.test/a")[:200],
		"/none.xml":   urlset(),
		"/scheme.xml": urlset("file:///etc/passwd"),
		"/index.xml":  index("ftp://site.test/sitemap.xml"),
		"/gone.xml":   index("http://HOST/nowhere.xml"),
		"/1.xml":      index("http://HOST/2.xml"),
		"/2.xml":      index("http://HOST/3.xml"),
		"/3.xml":      index("http://HOST/4.xml"),
		"/4.xml":      index("http://HOST/5.xml"),
		"/5.xml":      urlset("http://site.test/a"),
		"/laughs.xml": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>http://site.test/&b;</loc></url></urlset>`,
	})
	for path, want := range map[string]string{
		"/empty.xml":  "no urlset or sitemapindex",
		"/html.xml":   `begins with "html"`,
		"/text.xml":   "no urlset or sitemapindex",
		"/cut.xml":    "unexpected EOF",
		"/none.xml":   "no URL in it",
		"/scheme.xml": "is no URL",
		"/index.xml":  "is no URL",
		"/gone.xml":   "/nowhere.xml: it was answered with 404",
		"/1.xml":      "/5.xml: it is in an index of an index of an index",
		"/laughs.xml": "invalid character entity",
	} {
		_, err := Sitemap(t.Context(), s.Client(), s.URL+path)
		assert.ErrorContains(t, err, want, path)
	}
	_, err := Sitemap(t.Context(), s.Client(), "sitemap.xml")
	assert.ErrorContains(t, err, "is no URL")
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = Sitemap(ctx, s.Client(), s.URL+"/none.xml")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// A file that is small only while it is packed is read up to the bound.
func TestABombIsNotUnpacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := io.CopyN(z, spaces{}, mostSitemapBytes+1)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	in, err := unpacked(&packed)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, in)
	assert.ErrorContains(t, err, "larger than")
	assert.LessOrEqual(t, n, int64(mostSitemapBytes))
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzSitemap(f *testing.F) {
	f.Add(urlset("http://site.test/a"))
	f.Add(index("http://site.test/a"))
	f.Fuzz(func(t *testing.T, text string) {
		s := &sitemaps{}
		files, err := s.parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, u := range append(files, s.urls...) {
			require.NoError(t, check(u))
		}
	})
}
