package revalidate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A 304 that says nothing new does not touch the store again and again; what it
// changes counts at once.
func TestConfirmationsThatChangeNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "content", `Etag: "1"`, "Cache-Control: max-age=0")
		for _, tc := range []struct {
			name    string
			wait    time.Duration
			says    []string
			updated bool
		}{
			{"nothing new", 0, []string{`Etag: "1"`, "Cache-Control: max-age=0"}, false},
			{"nothing new, some time later", time.Second, []string{`Etag: "1"`, "Cache-Control: max-age=0"}, true},
			{"another lifetime", 0, []string{`Etag: "1"`, "Cache-Control: max-age=0, stale-if-error=9"}, true},
			{"a new field", 0, []string{`Etag: "1"`, "X-New: 1"}, true},
		} {
			time.Sleep(tc.wait)
			before := b.job("GET", "/a").Resource.kept
			c := b.get("/a")
			b.next().respond(304, tc.says...).end()
			a := c.complete("content")
			assert.Equal(t, 304, a.FwdStatus, tc.name)
			assert.Equal(t, time.Now(), a.Entry.Received, tc.name)
			after := b.job("GET", "/a").selected()
			assert.Equal(t, tc.updated, b.job("GET", "/a").Resource.kept != before, tc.name)
			if tc.updated {
				assert.Equal(t, a.Entry.Fields, after.Fields, tc.name)
				assert.Equal(t, time.Now(), after.Received, tc.name)
			}
		}
	})
}
