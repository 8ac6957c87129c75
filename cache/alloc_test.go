//go:build !race

package cache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Under the race detector sync.Pool drops at random, so this is not measured there.
func TestGetDoesNotAllocate(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[*int](t, e, 1<<20)
		s.Set("a", new(int), 8, 0)
		s.Set("b", new(int), 8, time.Hour)
		s.Flush()
		for _, key := range []string{"a", "b", "absent"} {
			assert.Zero(t, testing.AllocsPerRun(10_000, func() { s.Get(key) }), "Get(%q)", key)
		}
	})
}
