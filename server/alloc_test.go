//go:build linux && !race

package server

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAHitDoesNotAllocate counts for the whole process, over a real connection.
// Under the race detector sync.Pool drops at random, so this is not measured there.
func TestAHitDoesNotAllocate(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := newSide(t, lawConfigs[1], true, ln, nil)
	s.quiet.Store(true)
	for _, tc := range hitCases {
		t.Run(tc.name, func(t *testing.T) {
			c := newAsker(t, ln.Addr().String(), tc.head, tc.answer, tc.length)
			for range 2000 { // pools fill, buffers grow
				c.ask()
			}
			assert.Zero(t, testing.AllocsPerRun(2000, c.ask), "allocations for each request")
		})
	}
	assert.Zero(t, s.own.Load()+s.lent.Load(), "requests that the store did not answer")
}
