package browser

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience bounds every wait for the page; only a broken one uses it up.
const patience = 30 * time.Second

// tab is a tab of the browser. What scripts complain of, it remembers.
type tab struct {
	*testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// newTab opens a tab of a size and colour scheme, and closes it with the test.
func newTab(t *testing.T, width, height int64, scheme string) *tab {
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	b.do(chromedp.EmulateViewport(width, height, func(p *emulation.SetDeviceMetricsOverrideParams, _ *emulation.SetTouchEmulationEnabledParams) {
		p.Mobile = width < 500
	}))
	colours := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: colours})
	require.NoError(t, err)
	if *screenshots != "" { // bars would take 15 pixels of the pictures
		_, err := chromedp.Call(ctx, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true})
		require.NoError(t, err)
	}
	return b
}

func (b *tab) listen(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *page.EventJavascriptDialogOpening:
		said = "alert: " + e.Message
		go func() { // not from here: it would wait for itself
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			said = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if said != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, said)
		b.mu.Unlock()
	}
}

// said is what scripts complained of so far.
func (b *tab) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.complaints...)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	run(b, chromedp.Steps(steps...))
}

// run does something in the tab, and returns what comes of it.
func run[T any](b *tab, a chromedp.Action[T]) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	require.NoError(b, err, "the page complained of: %q", b.said())
	return v
}

// open loads the page and waits until events come.
func (b *tab) open(url string) {
	b.Helper()
	b.do(chromedp.Navigate(url))
	b.until(`document.querySelector("#state").textContent.startsWith("up ")`)
}

// until waits for a condition in the page.
func (b *tab) until(condition string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool]("Boolean("+condition+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0)))
	require.NoError(b, err, "never true: %s; the page complained of: %q", condition, b.said())
}

// events waits for so many more events; each changes how long the proxy is up.
func (b *tab) events(n int) {
	b.Helper()
	for range n {
		state := b.texts("#state")[0]
		b.until(`document.querySelector("#state").textContent !== "` + state + `"`)
	}
}

// value evaluates an expression in the page.
func value[T any](b *tab, expression string) T {
	b.Helper()
	return run(b, chromedp.Evaluate[T](expression))
}

// texts are those of all elements that a selector finds.
func (b *tab) texts(selector string) []string {
	quoted, err := json.Marshal(selector)
	require.NoError(b, err)
	return value[[]string](b, "[...document.querySelectorAll("+string(quoted)+")].map((e) => e.textContent)")
}

// fill writes into a field as a person does, over what is there.
func (b *tab) fill(selector, text string) {
	b.Helper()
	value[bool](b, `((e) => { e.focus(); e.select(); return true; })(document.querySelector("`+selector+`"))`)
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// choose picks an option.
func (b *tab) choose(selector, option string) {
	b.Helper()
	value[bool](b, `((e) => { e.value = "`+option+`"; return e.dispatchEvent(new Event("input", { bubbles: true })); })(document.querySelector("`+selector+`"))`)
}

func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// press is click for what the page draws anew by itself, which might go between being
// found and being clicked: both at once, as soon as it is in sight with nothing over it.
func (b *tab) press(selector string) {
	b.Helper()
	b.until(`(() => {
		const e = document.querySelector("` + selector + `");
		if (!e) return false;
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const box = e.getBoundingClientRect();
		const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
		if (!e.contains(seen)) return false;
		seen.click();
		return true;
	})()`)
}

// picture keeps a screenshot of what is seen, if pictures are asked for.
func (b *tab) picture(name string) {
	if *screenshots == "" {
		return
	}
	png := run(b, chromedp.CaptureScreenshot())
	require.NoError(b, os.MkdirAll(*screenshots, 0o755))
	require.NoError(b, os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644))
}
