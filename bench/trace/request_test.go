package trace

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseObject(t *testing.T) {
	id, size, ok := ParseObject(Object(12, 345))
	assert.True(t, ok)
	assert.Equal(t, uint64(12), id)
	assert.Equal(t, int64(345), size)
	for _, target := range []string{
		"", "/", "/o/", "/o/1", "/o/1-", "/o/-1", "/o/01-2", "/o/1-02", "/o/1--2", "/o/1-2?x", "/o/1-2/", "/O/1-2", "o/1-2", "/o/+1-2",
		"/o/1-1099511627777", "/o/18446744073709551616-1",
	} {
		_, _, ok := ParseObject(target)
		assert.False(t, ok, target)
	}
}

func FuzzParseObject(f *testing.F) {
	f.Add(uint64(1), int64(2), "/o/1-2")
	f.Fuzz(func(t *testing.T, id uint64, size int64, target string) {
		if size >= 0 && size <= MaxSize {
			gotID, gotSize, ok := ParseObject(Object(id, size))
			assert.True(t, ok)
			assert.Equal(t, id, gotID)
			assert.Equal(t, size, gotSize)
		}
		if id, size, ok := ParseObject(target); ok {
			assert.Equal(t, target, Object(id, size))
		}
	})
}
