package h2spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leastHostile is how many hostile requests there must be.
const leastHostile = 120

// TestHostileRequests sends every input of the corpus, past the store and by it.
// The client gets what is said, and the origin reads exactly what is said.
func TestHostileRequests(t *testing.T) {
	cases := corpus(t)
	require.GreaterOrEqual(t, len(cases), leastHostile)
	for _, c := range cases {
		for _, way := range ways {
			t.Run(c.place+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, way.noLane)
				f := talk(t, w.addr, c.sent, func(f *fate) bool { return f.String() == c.want })
				assert.Equal(t, c.want, f.String(), c.why)
				w.close()
				all, got := w.origin.All() // got begins with the faults
				for _, a := range all {
					if a.String() != "HEAD a.example /probe" {
						got = append(got, a.String())
					}
				}
				assert.ElementsMatch(t, c.asked, got, c.why) // requests of one connection run side by side
			})
		}
	}
}
