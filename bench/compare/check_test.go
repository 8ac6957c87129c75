package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProblems(t *testing.T) {
	rivalPeer, floorPeer := peer{role: rival}, peer{role: floor}
	for _, tc := range []struct {
		name             string
		peer             peer
		scenario         string
		requests, origin int64
		bytes            float64 // for each answer
		want             string  // part of the only problem; empty for none
	}{
		{"a hit", rivalPeer, "hit", 1000, 0, 1300, ""},
		{"a hit that went to the origin", rivalPeer, "hit", 1000, 1, 1300, "1 of 1000 requests that should hit reached the origin"},
		{"a floor has no origin", floorPeer, "hit", 1000, 5, 1300, ""},
		{"a pass", rivalPeer, "pass", 1000, 1000, 1300, ""},
		{"requests that were under way at both ends of a pass", rivalPeer, "pass", 1000, 1128, 1300, ""},
		{"a pass that came from a cache", rivalPeer, "pass", 1000, 999, 1300, "1000 requests that should pass were 999"},
		{"a pass with retries", rivalPeer, "pass", 1000, 1129, 1300, "1000 requests that should pass were 1129"},
		{"a validation", rivalPeer, "reval", 1000, 995, 1300, ""},
		{"a validation that did not happen", rivalPeer, "reval", 1000, 900, 1300, "of 1000 requests that should be validated 900"},
		{"nothing was answered", rivalPeer, "hit", 0, 0, 0, "no request was answered"},
		{"empty answers", rivalPeer, "hit", 1000, 0, 200, "answers have 200 bytes, the object has 1024"},
		{"empty answers of a floor", floorPeer, "hit10m", 10, 0, 1 << 20, "answers have 1048576 bytes, the object has 10485760"},
		{"the number of bytes is rounded", rivalPeer, "hit10m", 10, 0, 0.99 * (10 << 20), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, ok := findScenario(tc.scenario)
			require.True(t, ok)
			sm := sample{Requests: tc.requests, Origin: tc.origin}
			got := problems(tc.peer, s, sm, load{requests: tc.requests, bytes: tc.bytes * float64(tc.requests)})
			if tc.want == "" {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Contains(t, got[0], tc.want)
		})
	}
}
