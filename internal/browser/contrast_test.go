package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// tooPale lists texts whose contrast with their ground is below 4.5 (WCAG 2.2,
// 1.4.3), as "text: contrast".
const tooPale = `(() => {
  const rgb = (c) => c.match(/[\d.]+/g).map(Number);
  const lum = (c) => rgb(c).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (rgb(c).length === 3 || rgb(c)[3] > 0) return c;
    }
    return "rgb(255, 255, 255)";
  };
  const pale = new Set();
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!own || !e.checkVisibility() || e.closest("noscript, .skip")) continue;
    const [a, b] = [lum(getComputedStyle(e).color), lum(ground(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) pale.add(own.slice(0, 40) + ": " + contrast.toFixed(2));
  }
  return [...pale];
})()`

func TestContrast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.get("/products/1")
	w.get("/account/1")
	w.broken.Store(true)
	for range 12 {
		w.get("/account/2")
	}
	for _, scheme := range []string{"light", "dark"} {
		b := newTab(t, wide, high, scheme)
		b.open(w.admin + "/ui/")
		b.until(`document.querySelector("#side-client .tag.bad") && document.querySelector("#requests-table button")`)
		assert.Empty(t, value[[]string](b, tooPale), scheme)
		b.press("#requests-table button")
		b.until(`document.querySelector("#detail").open`)
		assert.Empty(t, value[[]string](b, tooPale), scheme+", detail")
	}
}
