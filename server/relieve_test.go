package server

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/server/h2"
)

func TestChoose(t *testing.T) {
	const most = 1 << 40
	stuck := func(waited time.Duration, held int64) h2.Stuck { return h2.Stuck{For: waited, Held: held} }
	short, long, longest := stuck(time.Second, 4<<20), stuck(time.Minute, 8<<20), stuck(time.Hour, 1<<20)
	for _, tc := range []struct {
		name string
		all  []h2.Stuck
		need int64
		want []h2.Stuck
	}{
		{"nobody waits", nil, most, nil},
		{"nothing is needed", []h2.Stuck{long}, 0, nil},
		{"who waits longest", []h2.Stuck{short, longest, long}, 1, []h2.Stuck{longest}},
		{"as many as are needed", []h2.Stuck{short, longest, long}, 2 << 20, []h2.Stuck{longest, long}},
		{"all", []h2.Stuck{short, longest, long}, most, []h2.Stuck{longest, long, short}},
		{"who holds little is spared", []h2.Stuck{stuck(2*time.Hour, leastHeld-1), long}, most, []h2.Stuck{long}},
		{"who has just begun to wait is spared", []h2.Stuck{stuck(patience-1, 1<<30), stuck(patience, 1<<20)}, most, []h2.Stuck{stuck(patience, 1<<20)}},
		{"no more than some at a time", slices.Repeat([]h2.Stuck{short}, 2*mostEnded), most, slices.Repeat([]h2.Stuck{short}, mostEnded)},
	} {
		assert.ElementsMatch(t, tc.want, choose(tc.all, tc.need), tc.name)
	}
}
