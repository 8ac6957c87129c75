package browser

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	wide = 1280
	high = 900
)

// metric sums the series of a metric for which fits holds.
func (w *world) metric(name string, fits func(labels map[string]string) bool) (sum float64) {
	resp, err := http.Get(w.admin + "/metrics")
	require.NoError(w, err)
	defer resp.Body.Close()
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(resp.Body)
	require.NoError(w, err)
	require.Contains(w, families, name)
	for _, m := range families[name].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if fits(labels) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func all(map[string]string) bool { return true }

// What the page says after a while of load is what /metrics says.
func TestFiguresAreThoseOfMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stop := w.load(4)
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	b.until(`document.querySelectorAll("#top-table tbody tr").length > 10`)
	stop()
	require.Eventually(t, func() bool { return w.metric("cacheproxy_requests_total", all) == float64(w.answered.Load()) },
		patience, 20*time.Millisecond, "the last request is counted")
	b.events(2) // the first may have been on its way

	requests := w.metric("cacheproxy_requests_total", all)
	hits := w.metric("cacheproxy_requests_total", func(l map[string]string) bool { return strings.HasPrefix(l["action"], "serve") })
	notFound := w.metric("cacheproxy_requests_total", func(l map[string]string) bool { return l["status_class"] == "4xx" })
	fromCache := w.metric("cacheproxy_bytes_total", func(l map[string]string) bool { return l["source"] == "cache" })
	sent := w.metric("cacheproxy_bytes_total", all)
	require.Greater(t, requests, 100.)

	shown := func(id string) string { return b.texts("#tile-" + id)[0] }
	percent := func(text string) float64 {
		v, err := strconv.ParseFloat(strings.TrimSuffix(text, " %"), 64)
		require.NoError(t, err, text)
		return v
	}
	assert.InDelta(t, 100*hits/requests, percent(shown("hit-ratio")), .051)
	assert.InDelta(t, 100*fromCache/sent, percent(shown("byte-ratio")), .051)
	assert.InDelta(t, 100*notFound/requests, percent(shown("client-errors")), .0051)
	assert.Equal(t, "0.00 %", shown("errors"))
	assert.Equal(t, "100.00 %", shown("availability"))
	assert.Equal(t, 1., w.metric("cacheproxy_slo_availability_ratio", func(l map[string]string) bool { return l["side"] == "client" }))
	saved, err := strconv.ParseFloat(strings.ReplaceAll(shown("saved"), ",", ""), 64)
	if saved < 10_000 { // or it is written as 12.3 k
		require.NoError(t, err)
		assert.Equal(t, w.metric("cacheproxy_saved_requests_total", all), saved)
	}
	assert.Empty(t, b.said())
}

// When the origin breaks, the page says who felt it.
func TestFailuresAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	for i := range 20 {
		w.get("/stale/" + strconv.Itoa(i))
	}
	w.broken.Store(true)
	for i := range 20 {
		assert.Equal(t, 200, w.get("/stale/"+strconv.Itoa(i)))
	}
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	b.until(`document.querySelector("#side-origin .tag.bad") && document.querySelector("#side-client .tag.good")`)
	assert.Contains(t, b.texts("#side-origin")[0], "Failures hidden from clients20 of 20, 100.0 %")
	assert.Contains(t, b.texts("#side-client .big")[0], "100.000 %")
	assert.Contains(t, b.texts("#side-origin .big")[0], "50.000 %")

	for range 20 {
		assert.Equal(t, 503, w.get("/account/1"))
	}
	b.until(`document.querySelector("#side-client .tag.bad")`)
	assert.Contains(t, b.texts("#side-client .tag")[0], "page")
	b.until(`document.querySelector("#tile-errors").parentElement.classList.contains("bad")`)
	b.until(`[...document.querySelectorAll("#statuses .name")].some((e) => e.textContent === "503")`)
}

func TestFilterRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stop := w.load(4)
	defer stop()
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	const rows = "#requests-table tbody tr"
	b.until(`[...document.querySelectorAll("#requests-form option")].some((o) => o.value === "private")`)

	b.choose("#requests-form [name=reason]", "private")
	b.until(`(() => { const r = [...document.querySelectorAll("` + rows + `")];
		return r.length > 3 && r.every((e) => e.textContent.includes("private") && e.textContent.includes("/account/")); })()`)

	b.choose("#requests-form [name=reason]", "")
	b.fill("#requests-form [name=q]", "missing")
	b.until(`(() => { const r = [...document.querySelectorAll("` + rows + `")];
		return r.length > 1 && r.every((e) => e.textContent.includes("404") && e.textContent.includes("/missing/")); })()`)

	b.fill("#requests-form [name=q]", "/missing/")
	b.until(`document.querySelector("` + rows + ` button")`)
	b.click("#requests-form [name=live]") // the list stays, while the proxy forgets what is in it
	value[bool](b, `(() => { const real = fetch; window.fetch = (u, o) => (u.startsWith("/api/requests/") ? Promise.resolve(new Response("{}", { status: 404 })) : real(u, o)); return true; })()`)
	b.press(rows + " button")
	b.until(`document.querySelector("#detail").open && document.querySelector("#detail").textContent.includes("/missing/")`)
	b.click("#detail-close")

	b.fill("#requests-form [name=q]", "no such thing")
	b.until(`document.querySelector("#requests-table .empty")?.textContent.startsWith("No recent request fits")`)
	assert.Empty(t, b.said())
}

// A request opens in full with the keyboard alone, and closes again.
func TestReadARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.get("/account/7")
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	b.until(`document.querySelector("#requests-table button")`)
	value[bool](b, `(document.querySelector("#requests-table button").focus(), true)`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#detail").open`)
	text := b.texts("#detail")[0]
	for _, part := range []string{"GET shop.example/account/7", "nothing is stored for this URL", "the response is for one user only", "http://shop.example/account/7"} {
		assert.Contains(t, text, part)
	}
	b.picture("request-light")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until(`!document.querySelector("#detail").open`)
	b.until(`document.activeElement.matches("#requests-table button")`)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	b.until(`document.querySelectorAll("#objects-table tbody tr").length === 3`)
	b.fill("#objects-form [name=q]", "products")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelectorAll("#objects-table tbody tr").length === 1`)
	b.click("#objects-table button")
	b.until(`document.querySelector("#detail").open`)
	text := b.texts("#detail")[0]
	for _, part := range []string{"http://shop.example/products/1", "10 min 0 s, from max-age", "accept-encoding: gzip", hostile} {
		assert.Contains(t, text, part)
	}
	assert.Empty(t, b.texts("#detail .deeds button"), "what this proxy does not offer has no button")
	assert.Empty(t, b.said())
}

// A URL that is HTML stays text wherever it is shown.
func TestHostileURLIsInert(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.hear()
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	for _, box := range []string{"#requests-table", "#top-table", "#objects-table", "#findings-table", "#purges-table"} {
		b.until(`document.querySelector("` + box + `").textContent.includes("<img/src=x/onerror=alert(1)>")`)
	}
	b.press("#requests-table button")
	b.until(`document.querySelector("#detail").open && document.querySelector("#detail").textContent.includes("<script>alert(2)")`)
	for _, part := range []string{"<b>GET", "<i>shop.example" + hostile, "<script>alert(3)</script>", "<hr>", "<br>"} {
		assert.Contains(t, b.texts("#detail")[0], part)
	}
	assert.Equal(t, 1, value[int](b, `document.images.length`), "the icon is the only picture")
	assert.Equal(t, 3, value[int](b, `document.scripts.length`))
	assert.Empty(t, b.said(), "nothing was run, nor was anything kept from it")
}

func TestTokenIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "s3cret")
	b := newTab(t, wide, high, "light")
	b.do(chromedp.Navigate(w.admin + "/"))
	b.until(`document.querySelector("#token").open`)
	assert.Equal(t, "–", b.texts("#tile-hit-ratio")[0])
	assert.Equal(t, w.admin+"/ui/", value[string](b, "location.href"))

	b.fill("#token [name=token]", "guess")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#token").open && document.querySelector("#token-wrong").textContent !== ""`)

	b.fill("#token [name=token]", "s3cret")
	b.do(chromedp.KeyEvent(kb.Enter))
	const live = `document.querySelector("#state").textContent.startsWith("up ")`
	b.until(live)
	assert.NotContains(t, value[string](b, "location.href + document.documentElement.outerHTML + document.cookie"), "s3cret")

	b.do(chromedp.Reload())
	b.until(live) // the tab remembers

	b.click("#forget")
	b.until(`document.querySelector("#token").open`)
	other := newTab(t, wide, high, "light")
	other.do(chromedp.Navigate(w.admin + "/ui/"))
	other.until(`document.querySelector("#token").open`)
}

func TestColoursCanBeChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	ground := func() string { return value[string](b, "getComputedStyle(document.body).backgroundColor") }
	const light, dark = "rgb(244, 246, 248)", "rgb(15, 20, 25)"
	assert.Equal(t, light, ground())
	b.click("[data-theme-choice=dark]")
	assert.Equal(t, dark, ground())
	b.do(chromedp.Reload())
	b.until(`document.querySelector("#theme [data-theme-choice=dark]").getAttribute("aria-pressed") === "true"`)
	assert.Equal(t, dark, ground(), "the browser remembers")
	b.click("[data-theme-choice=auto]")
	assert.Equal(t, light, ground())
}

// A proxy that is started anew is found again, without a hand.
func TestTheStreamComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	w.insight.Close() // ends the streams
	b.until(`document.querySelector("#state").dataset.state === "lost"`)
	b.until(`document.querySelector("#state").dataset.state === "live"`)
}

// A connection that is dead without an end is given up. The page's clock runs on by 20 s
// at each look, so that nothing is heard in time.
func TestASilentStreamIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	value[bool](b, `(() => { let now = Date.now(); Date.now = () => (now += 20000); return true; })()`)
	b.until(`performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/api/overview")).length > 1`)
}

// Axes in bytes have round marks: 512 KiB, not 1.91 MiB.
func TestMarksOfBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stop := w.load(4)
	defer stop()
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	value[bool](b, `(() => {
		window.written = new Set();
		const write = CanvasRenderingContext2D.prototype.fillText;
		CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) { window.written.add(text); return write.call(this, text, ...rest); };
		return true;
	})()`)
	marks := `[...window.written].filter((text) => text.endsWith("iB"))`
	b.until(marks + `.length > 2`)
	for _, mark := range value[[]string](b, marks) {
		assert.Regexp(t, `^\d+(\.[257]5?)? [KMG]iB$`, mark)
	}
}

// A phone has no room for all columns of the top URLs, but for that which ranks them.
func TestTopURLsOnAPhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.get("/account/1")
	w.get("/products/1")
	w.get("/products/1")
	b := newTab(t, 390, 844, "light")
	b.open(w.admin + "/ui/")
	for by, name := range map[string]string{"requests": "Requests", "misses": "Misses", "bytes": "Bytes", "origin_time": "Origin time"} {
		b.click("#top-by [data-by=" + by + "]")
		b.until(`[...document.querySelectorAll("#top-table th")].some((e) => e.textContent === "` + name + `" && e.checkVisibility())`)
	}
	b.until(`[...document.querySelectorAll("#top-table .tag")].some((e) => e.textContent === "private 1" && e.checkVisibility())`)
	assert.True(t, value[bool](b, "document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "no scroll sideways")
}

func TestTheProxyWithoutRequestsSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	b := newTab(t, wide, high, "light")
	b.open(w.admin + "/ui/")
	b.until(`document.querySelectorAll("#requests-table .empty, #top-table .empty, #reasons .empty").length === 3`)
	assert.Contains(t, b.texts("#requests-table")[0], "Send one to the proxy")
	assert.False(t, value[bool](b, `document.querySelector("#purges").hidden`))
	assert.True(t, value[bool](b, `document.querySelector("#origins").hidden`), "what is not offered is not shown")
	resp, err := http.Get(w.admin + "/api/requests?limit=1")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.JSONEq(t, `{"requests":[]}`, string(text))
}
