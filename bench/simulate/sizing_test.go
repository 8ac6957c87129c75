package simulate

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/trace"
	"cacheproxy/cache"
)

func question(sizes ...int64) Question {
	return Question{Sizes: sizes, Engines: cache.Engines(), Exponent: cache.DefaultExponent, MaxObject: 64 << 20}
}

func TestSize(t *testing.T) {
	s := synthetic(20_000, 1_000, 64<<10)
	s.Left = Left{Method: 1, Bytes: 2}
	q := question()
	steps := 0
	q.Progress = func(done, all int) {
		assert.Equal(t, steps, done)
		assert.Less(t, done, all)
		steps++
	}
	got, err := Size(context.Background(), s, q)
	require.NoError(t, err)
	assert.Len(t, got.Rows, steps)

	best := replay(t, s, Unlimited{})
	assert.Equal(t, outcome(best), got.Unlimited)
	assert.Equal(t, best.Requests, got.Requests)
	assert.Equal(t, best.Bytes, got.Bytes)
	assert.Equal(t, len(s.Objects), got.Objects)
	assert.Equal(t, s.OnceOnly(), got.OnceOnly)
	assert.Equal(t, s.Footprint(), got.Footprint)
	assert.Greater(t, got.Memory, got.Footprint+int64(len(s.Objects))*Bookkeeping)
	assert.Equal(t, s.Left, got.Left)

	for i, row := range got.Rows {
		assert.Equal(t, q.Engines[i%len(q.Engines)], row.Engine)
		assert.LessOrEqual(t, row.HitRatio, got.Unlimited.HitRatio)
		assert.Equal(t, got.Requests-row.OriginRequests, int64(math.Round(row.HitRatio*float64(got.Requests))))
		assert.Equal(t, got.Bytes-row.OriginBytes, int64(math.Round(row.ByteHitRatio*float64(got.Bytes))))
		if row.Size >= got.Memory {
			assert.Equal(t, got.Unlimited, row.Outcome, "everything fits")
		}
	}
	assert.GreaterOrEqual(t, got.Rows[len(got.Rows)-1].Size, got.Memory)

	require.Len(t, got.Answers, len(q.Engines))
	for _, a := range got.Answers {
		assert.True(t, a.Enough)
		assert.GreaterOrEqual(t, a.Share, Enough)
		for _, row := range got.Rows {
			if row.Engine == a.Engine && row.Size < a.Size {
				assert.Less(t, row.HitRatio, Enough*got.Unlimited.HitRatio, "a smaller one is not enough")
			}
		}
	}
}

func TestSizeNotEnough(t *testing.T) {
	s := synthetic(20_000, 1_000, 64<<10)
	got, err := Size(context.Background(), s, question(1<<20, 2<<20))
	require.NoError(t, err)
	for _, a := range got.Answers {
		assert.False(t, a.Enough)
		assert.Equal(t, int64(2<<20), a.Size)
		assert.InDelta(t, 0.5, a.Share, 0.45)
	}
}

// What is above MaxObject can never be a hit, not even without a limit.
func TestSizeMaxObject(t *testing.T) {
	s := sequence(t, get("x", "/a", 10), get("x", "/b", 11), get("x", "/a", 10), get("x", "/b", 11))
	q := question()
	q.MaxObject = 10
	got, err := Size(context.Background(), s, q)
	require.NoError(t, err)
	assert.Equal(t, 1, got.TooLarge)
	assert.Equal(t, Outcome{HitRatio: 0.25, ByteHitRatio: 10. / 42, OriginRequests: 3, OriginBytes: 32}, got.Unlimited)
	for _, row := range got.Rows {
		assert.Equal(t, got.Unlimited, row.Outcome)
		assert.Equal(t, int64(leastSize), row.Size)
	}
}

// An object may take half of a cache.
func TestSizeHalf(t *testing.T) {
	const half = 1 << 20
	fits, not := get("x", "/a", half-10_000), get("x", "/b", half)
	got, err := Size(context.Background(), sequence(t, fits, not, fits, not), question(2*half, 8*half))
	require.NoError(t, err)
	for _, row := range got.Rows {
		want := map[int64]int64{2 * half: 3, 8 * half: 2}
		assert.Equal(t, want[row.Size], row.OriginRequests, row.Size)
	}
}

func TestSizeOfNothingTwice(t *testing.T) {
	got, err := Size(context.Background(), sequence(t, get("x", "/a", 1), get("x", "/b", 1)), question())
	require.NoError(t, err)
	for _, a := range got.Answers {
		assert.Zero(t, a.Share)
		assert.False(t, a.Enough)
	}
}

func TestSizeRefuses(t *testing.T) {
	_, err := Size(context.Background(), sequence(t, trace.Request{Method: "POST", Target: "/"}, status(302, get("x", "/", 1))), question())
	assert.ErrorContains(t, err, "no request that a cache could answer among 2: only GET and HEAD count")

	some := sequence(t, get("x", "/", 1))
	_, err = Size(context.Background(), some, Question{})
	assert.ErrorContains(t, err, "no engine")
	q := question()
	q.Engines = []cache.Engine{"lfu"}
	_, err = Size(context.Background(), some, q)
	assert.ErrorContains(t, err, "lfu")
	_, err = Size(context.Background(), some, question(0))
	assert.ErrorContains(t, err, "MaxCost is 0")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Size(ctx, some, question())
	assert.ErrorIs(t, err, context.Canceled)
}

func TestChooseSizes(t *testing.T) {
	const mib, gib = 1 << 20, 1 << 30
	assert.Equal(t, []int64{mib}, chooseSizes(0))
	assert.Equal(t, []int64{mib}, chooseSizes(mib))
	assert.Equal(t, []int64{mib, 2 * mib}, chooseSizes(mib+1))
	assert.Equal(t, []int64{8 * mib, 16 * mib, 32 * mib, 64 * mib, 128 * mib, 256 * mib, 512 * mib, gib}, chooseSizes(gib))
	huge := chooseSizes(math.MaxInt64)
	assert.Len(t, huge, sizesChosen)
	assert.Equal(t, int64(mostSize), huge[len(huge)-1])
}
