package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFeedEnds(t *testing.T) {
	start := time.Unix(100, 0)
	for _, tc := range []struct {
		name   string
		part   Part
		source Source
		step   time.Duration // between requests
		want   int64
		dried  bool
	}{
		{"with the number", Part{Requests: 5}, always("/"), time.Second, 5, false},
		{"with the time", Part{Duration: 10 * time.Second}, always("/"), time.Second, 10, false},
		{"with what is first", Part{Requests: 5, Duration: 3 * time.Second}, always("/"), time.Second, 3, false},
		{"with the source", Part{Requests: 5}, &list{[]string{"/a", "/b"}}, time.Second, 2, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFeed(tc.source, tc.part, start, nil)
			n := int64(0)
			for at := start; ; at = at.Add(tc.step) {
				if _, ok := f.next(at); !ok {
					break
				}
				n++
			}
			assert.Equal(t, tc.want, n)
			assert.Equal(t, tc.dried, f.dried)
			_, again := f.next(start)
			assert.False(t, again, "an end is final")
		})
	}
}

func TestPartsInWords(t *testing.T) {
	for want, p := range map[string]Part{
		"none": {}, "10s": {Duration: 10 * time.Second}, "1 request": {Requests: 1},
		"7 requests, at most 1m0s": {Requests: 7, Duration: time.Minute},
	} {
		assert.Equal(t, want, p.String())
	}
}
