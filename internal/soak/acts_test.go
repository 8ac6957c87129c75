//go:build linux

package soak

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// acts are what clients do, and how often beside the others.
var acts = []struct {
	often int
	do    func(*client)
}{
	{50, (*client).look},
	{10, (*client).range_},
	{5, (*client).head},
	{6, (*client).change},
	{8, (*client).static},
	{12, (*client).mood},
	{3, (*client).large},
	{4, (*client).leaveLarge},
	{2, (*client).leaveChange},
	{1, (*client).missing},
	{1, (*client).slow},
}

// act does one of them by chance.
func (c *client) act() {
	sum := 0
	for _, a := range acts {
		sum += a.often
	}
	n := c.IntN(sum)
	for _, a := range acts {
		if n -= a.often; n < 0 {
			a.do(c)
			return
		}
	}
}

// key is a page: some are asked for often.
func (c *client) key() int { return int(pages * c.Float64() * c.Float64() * c.Float64()) }

func (c *client) tongue() string { return tongues[c.IntN(len(tongues))] }

func pagePath(key int) string { return "/page/" + strconv.Itoa(key) }

var kindNames = map[kind]string{plain: "plain", varied: "varied", validated: "validated", private: "private", brief: "brief"}

func (c *client) look() {
	key, tongue := c.key(), c.tongue()
	least := c.confirmed(c.scheme, key).Load()
	q := question{kind: "GET " + kindNames[kindOf(key)], origin: c.steady, method: http.MethodGet, path: pagePath(key), fields: []string{"Tongue", tongue}}
	a, ok := c.ask(q)
	if ok && a.body != page(key, c.version(q, a, least), tongue) {
		c.wrong(q, a.header, a.body)
	}
}

// version is that of an answer; none may be from before a change that was
// confirmed before the page was asked for.
func (c *client) version(q question, a answer, least int64) int64 {
	version, err := strconv.ParseInt(a.header.Get("Version"), 10, 64)
	if err != nil || version < least {
		c.tally.wrong(c.way.name, q.kind)
		c.Errorf("%s over %s: version %q, where %d was confirmed before: %v", q.path, c.way.name, a.header.Get("Version"), least, a.header)
	}
	return version
}

func (c *client) range_() {
	key := c.key()
	if kindOf(key) == varied {
		key++
	}
	size := len(page(key, 0, ""))
	first := c.IntN(size - 20)
	last := first + c.IntN(size-first)
	least := c.confirmed(c.scheme, key).Load()
	q := question{
		kind: "GET range", origin: c.steady, method: http.MethodGet, path: pagePath(key),
		fields: []string{"Range", fmt.Sprintf("bytes=%d-%d", first, last)}, want: []int{200, 206},
	}
	a, ok := c.ask(q)
	if !ok {
		return
	}
	want := page(key, c.version(q, a, least), "")
	if a.status == http.StatusPartialContent {
		want = want[min(first, len(want)):min(last+1, len(want))]
	}
	if a.body != want {
		c.wrong(q, a.header, a.body)
	}
}

func (c *client) head() {
	key := c.key()
	least := c.confirmed(c.scheme, key).Load()
	q := question{kind: "HEAD", origin: c.steady, method: http.MethodHead, path: pagePath(key)}
	if a, ok := c.ask(q); ok {
		c.version(q, a, least)
	}
}

// change makes a new version. Once it is confirmed, nobody may get an older one.
func (c *client) change() {
	q, key := c.changeOf(100 << 10)
	a, ok := c.ask(q)
	if !ok {
		return
	}
	known := c.confirmed(c.scheme, key)
	version := c.version(q, a, 1)
	for now := known.Load(); now < version && !known.CompareAndSwap(now, version); now = known.Load() {
	}
}

// changeOf is a change with content of at most so many bytes.
func (c *client) changeOf(most int) (question, int) {
	key := c.key()
	content := lines("news", 1+c.IntN(most))
	return question{
		kind: "POST", origin: c.steady, method: http.MethodPost, path: pagePath(key), want: []int{204},
		content: content, chunked: c.IntN(2) == 0, fields: []string{sumField, sum(content)},
	}, key
}

// sumField of a request says what its whole content is.
const sumField = "Content-Sum"

func sum(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

func (c *client) static() {
	key := c.key()
	q := question{kind: "GET static", origin: c.steady, method: http.MethodGet, path: "/static/" + strconv.Itoa(key)}
	if a, ok := c.ask(q); ok && a.body != page(key, 0, "-") {
		c.wrong(q, a.header, a.body)
	}
}

func (c *client) mood() {
	key := c.IntN(moodyKeys)
	q := question{kind: "GET moody", origin: c.moody.origin, method: http.MethodGet, path: "/mood/" + strconv.Itoa(key)}
	if a, ok := c.ask(q); ok && a.body != mood(key) {
		c.wrong(q, a.header, a.body)
	}
}

func (c *client) largeOf() (question, int) {
	key := c.IntN(largeKeys)
	return question{kind: "GET large", origin: c.steady, method: http.MethodGet, path: "/large/" + strconv.Itoa(key)}, key
}

func (c *client) large() {
	q, key := c.largeOf()
	if a, ok := c.ask(q); ok && a.body != large(key) {
		c.wrong(q, a.header, a.body)
	}
}

func (c *client) leaveLarge() {
	q, key := c.largeOf()
	q.kind = "GET and leave"
	c.leave(q, large(key))
}

func (c *client) leaveChange() {
	q, _ := c.changeOf(2 << 20)
	q.kind = "POST and leave"
	c.leave(q, "")
}

func (c *client) missing() {
	c.ask(question{kind: "GET of nothing", origin: c.steady, method: http.MethodGet, path: "/nothing/1", want: []int{404}})
}

// run acts until it is time to end.
func (c *client) run() {
	for c.over.Err() == nil {
		c.atWork.RLock()
		c.act()
		c.atWork.RUnlock()
		time.Sleep(time.Duration(c.IntN(40_000)) * time.Microsecond)
	}
}
