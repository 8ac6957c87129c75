package revalidate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLonely(t *testing.T) {
	var l lonely
	now := time.Now()
	assert.False(t, l.has("a", now))
	l.remove("a")
	l.add("a", now)
	l.add("b", now.Add(time.Second))
	assert.True(t, l.has("a", now.Add(lonelyFor-1)))
	assert.False(t, l.has("a", now.Add(lonelyFor)))
	assert.True(t, l.has("b", now.Add(lonelyFor)))
	l.remove("b")
	assert.False(t, l.has("b", now))
	l.add("a", now.Add(lonelyFor))
	assert.True(t, l.has("a", now.Add(2*lonelyFor-1)), "it is renewed")
}

func TestLonelyIsBounded(t *testing.T) {
	var l lonely
	now := time.Now()
	long := strings.Repeat("x", 1000)
	for i := range 3 * lonelyMost {
		key := fmt.Sprint(long, i)
		l.add(key, now)
		assert.True(t, l.has(key, now), "the newest is there")
		if len(l.till) > lonelyMost {
			t.Fatalf("%d keys are remembered", len(l.till))
		}
	}
}

func TestLonelyMakesRoomWithWhatHasPassed(t *testing.T) {
	var l lonely
	now := time.Now()
	for i := range lonelyMost - 100 {
		l.add(fmt.Sprint("passed", i), now)
	}
	now = now.Add(lonelyFor)
	for i := range 101 {
		l.add(fmt.Sprint("current", i), now)
	}
	for i := range 101 {
		assert.True(t, l.has(fmt.Sprint("current", i), now))
	}
	assert.Len(t, l.till, 101)
}
