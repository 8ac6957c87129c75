package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shifts is how much moved so far without being asked to: Cumulative Layout
// Shift, of which 0.1 is still called good.
const shifts = `new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 500);
})`

// The page of the program under load, in the colours that the system asks for, on a screen and
// on a phone.
func TestLooks(t *testing.T) {
	t.Parallel()
	w := newProgram(t)
	t.Cleanup(w.load(12))
	if *screenshots != "" {
		time.Sleep(75 * time.Second) // so that charts are full
	}
	require.Eventually(t, func() bool { return w.answered.Load() > 1000 }, patience, 20*time.Millisecond, "there is something to see")
	w.broken.Store(true)
	require.Eventually(t, func() bool { return w.failed.Load() > 50 }, patience, 20*time.Millisecond, "failures, too")
	w.broken.Store(false)
	for _, tc := range []struct {
		name, scheme  string
		width, height int64
		ground        string
	}{
		{"dashboard", "light", 1280, 1600, "rgb(244, 246, 248)"},
		{"dashboard-dark", "dark", 1280, 1600, "rgb(15, 20, 25)"},
		{"dashboard-phone", "light", 390, 844, "rgb(244, 246, 248)"},
		{"dashboard-phone-dark", "dark", 390, 844, "rgb(15, 20, 25)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t, tc.width, tc.height, tc.scheme)
			b.open(w.admin + "/ui/")
			b.until(`document.querySelectorAll("#requests-table tbody tr").length > 10`)
			b.events(3) // for the charts; with the second, the requests are listed anew
			b.picture(tc.name)
			assert.Equal(t, tc.ground, value[string](b, "getComputedStyle(document.body).backgroundColor"))
			assert.True(t, value[bool](b, "document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "no scroll sideways")
			assert.Equal(t, 6, value[int](b, `document.querySelectorAll("#charts canvas").length`))
			assert.Less(t, run(b, chromedp.Evaluate[float64](shifts, chromedp.EvalAwaitPromise)), .1, "what is read stays where it is")
			assert.Empty(t, b.said())
		})
	}
}
