package h2spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSpec: what must come of every row comes of it, whether requests are
// answered from the store, or by the handler.
func TestSpec(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.noLane)
			talk(t, w.addr, headers(1, whole, get)+answered, func(*fate) bool { return true }) // it is stored
			t.Run("rows", func(t *testing.T) {
				for _, r := range rows {
					t.Run(r.section+"/"+r.what, func(t *testing.T) {
						t.Parallel()
						f := talk(t, w.addr, r.sent, func(f *fate) bool { return f.String() == r.want })
						assert.Equal(t, r.want, f.String())
					})
				}
			})
		})
	}
}
