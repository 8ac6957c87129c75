package memory

import (
	"bytes"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const MiB = 1 << 20

func TestBound(t *testing.T) {
	for size, want := range map[int64]int64{100: 64*MiB + 115, 16 * MiB: 16*MiB*115/100 + 64*MiB, 1000 * MiB: 1150*MiB + 64*MiB} {
		assert.InDelta(t, want, Bound(size), 100)
	}
}

func TestJudge(t *testing.T) {
	const size, limit = 1000 * MiB, 1160 * MiB
	const room = limit / 16
	for _, tc := range []struct {
		name string
		cost int64
		u    usage
		want judgement
	}{
		{"empty", 0, usage{live: 5 * MiB, fixed: 10 * MiB}, judgement{size, 0}},
		{"full, with room for the rest", size, usage{live: size + 50*MiB, fixed: 10 * MiB}, judgement{size, 0}},
		{"others need more", size, usage{live: size + 200*MiB, fixed: 60 * MiB}, judgement{limit - room - 260*MiB, 0}},
		{"half full, and others need more", size / 2, usage{live: size/2 + 200*MiB, fixed: 60 * MiB}, judgement{limit - room - 260*MiB, 0}},
		{"others need nearly all", size / 4, usage{live: size/4 + 900*MiB}, judgement{size / 4, 900*MiB + size/4 + room - limit}},
		{"the store grew since the collection", size, usage{live: size / 2, fixed: 10 * MiB}, judgement{size, 0}},
	} {
		assert.Equal(t, tc.want, judge(size, tc.cost, limit, tc.u), tc.name)
	}
}

func TestPercent(t *testing.T) {
	for live, want := range map[int64]int{0: 800, MiB: 800, 16 * MiB: 200, 32 * MiB: 100, 1000 * MiB: 100} {
		assert.Equal(t, want, percentFor(live), "%d bytes", live)
	}
}

// kept runs a keeper over a store that does what it is told, and puts the runtime
// back as it was.
func kept(t *testing.T, size, cost, available int64) (k *Keeper, resized *atomic.Int64, log *bytes.Buffer) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	log, resized = new(bytes.Buffer), new(atomic.Int64)
	k = Keep(Store{
		Size:   size,
		Cost:   func() int64 { return min(cost, resized.Load()) },
		Resize: resized.Store,
	}, available, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() {
		k.Close()
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	return k, resized, log
}

func TestTheRuntimeIsTunedToTheStore(t *testing.T) {
	k, resized, log := kept(t, 100*MiB, 0, 1<<40)
	assert.EqualValues(t, Bound(100*MiB)-beside, debug.SetMemoryLimit(-1))
	assert.EqualValues(t, 100*MiB, resized.Load())
	assert.Empty(t, log.String())
	k.SetSize(200*MiB, 1<<40)
	assert.EqualValues(t, Bound(200*MiB)-beside, debug.SetMemoryLimit(-1))
	assert.EqualValues(t, 200*MiB, resized.Load())
	k.Close()
	k.Close()
}

func TestTheEnvironmentComesFirst(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Setenv("GOMEMLIMIT", "off")
	t.Setenv("GOGC", "50")
	k, _, _ := kept(t, 100*MiB, 0, 1<<40)
	k.look(usage{cycles: 1, live: MiB})
	assert.Equal(t, before, debug.SetMemoryLimit(-1))
	assert.Equal(t, 100, debug.SetGCPercent(100), "what kept has set")
}

func TestASizeBeyondTheMachineIsSaid(t *testing.T) {
	_, _, log := kept(t, 1000*MiB, 0, 1100*MiB)
	assert.Contains(t, log.String(), "cache.size leaves too little memory for the rest: the store will be smaller\" size=1000MiB process=1214MiB available=1100MiB")
	assert.Less(t, debug.SetMemoryLimit(-1), int64(1100*MiB))
}

// When others need memory the store gives way, and takes it back later.
func TestTheStoreGivesWay(t *testing.T) {
	k, resized, log := kept(t, 1000*MiB, 1000*MiB, 1<<40)
	k.Close() // the test looks
	cycle := k.trusted
	k.usage = func() usage { return usage{cycles: cycle} }
	look := func(others int64) int64 {
		cycle += 2 // the first has begun before the store was resized
		k.look(usage{cycles: cycle, live: k.store.Cost() + others, fixed: 10 * MiB})
		return resized.Load()
	}
	assert.EqualValues(t, 1000*MiB, look(20*MiB))
	less := look(400 * MiB)
	assert.Less(t, less, int64(800*MiB))
	assert.LessOrEqual(t, less+400*MiB+10*MiB, Bound(1000*MiB))
	assert.Equal(t, less, look(405*MiB), "a little more is not worth the work")
	assert.EqualValues(t, 250*MiB, look(2000*MiB), "some of it stays")
	assert.Greater(t, debug.SetMemoryLimit(-1), int64(2000*MiB), "rather than to collect all the time")
	assert.Contains(t, log.String(), "bound=1214MiB store=250MiB")
	assert.EqualValues(t, 1000*MiB, look(0))
	assert.EqualValues(t, Bound(1000*MiB)-beside, debug.SetMemoryLimit(-1))
}

// When the store has no more to give, others are ended, as long as that helps; only
// when there is nobody to end the bound is exceeded.
func TestShortage(t *testing.T) {
	k, resized, log := kept(t, 1000*MiB, 1000*MiB, 1<<40)
	k.Close() // the test looks
	var asked []int64
	others, endable := int64(20*MiB), 3
	k.OnShortage(func(need int64) int {
		asked = append(asked, need)
		n := min(endable, 2)
		endable -= n
		others -= int64(n) * 300 * MiB
		return n
	})
	cycle := k.trusted
	k.usage = func() usage { return usage{cycles: cycle} }
	look := func() {
		cycle += 2
		k.look(usage{cycles: cycle, live: k.store.Cost() + others, fixed: 10 * MiB})
	}
	look()
	assert.Empty(t, asked, "there is room")
	assert.False(t, k.wantsCollection(0))
	others = 400 * MiB
	look()
	assert.Empty(t, asked, "the store gives way first")
	limit := debug.SetMemoryLimit(-1)

	others = 1400 * MiB
	look()
	if assert.Len(t, asked, 1) {
		assert.InDelta(t, 1400*MiB+250*MiB+10*MiB-limit*15/16, asked[0], MiB)
	}
	assert.EqualValues(t, 250*MiB, resized.Load())
	assert.Equal(t, limit, debug.SetMemoryLimit(-1), "it is not given up")
	assert.Contains(t, log.String(), "their transfers were ended\" transfers=2 bound=1214MiB")
	assert.NotContains(t, log.String(), "exceeds its bound")
	assert.True(t, k.wantsCollection(1), "to see what is left")
	k.look(usage{cycles: cycle + 1, live: 3000 * MiB})
	assert.Len(t, asked, 1, "a collection that had begun before does not see it")
	look()
	assert.Len(t, asked, 1, "it was enough")
	assert.False(t, k.wantsCollection(1))

	others = 2000 * MiB
	look()
	look()
	assert.Len(t, asked, 3)
	assert.Zero(t, endable)
	assert.Contains(t, log.String(), "exceeds its bound")
	assert.Greater(t, debug.SetMemoryLimit(-1), limit)
	assert.Equal(t, []bool{true, false}, []bool{k.wantsCollection(10), k.wantsCollection(11)})
	look()
	for _, said := range []string{"were ended", "exceeds its bound"} {
		assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte(said)), "%s: it is not said all the time", said)
	}
}

// A collection that began before the store gave way found entries that are gone:
// they are not others.
func TestAnOldCollectionIsNotHeldAgainstTheStore(t *testing.T) {
	k, resized, _ := kept(t, 1000*MiB, 1000*MiB, 1<<40)
	k.Close() // the test looks
	see := func(cycles uint64, live int64) int64 {
		k.usage = func() usage { return usage{cycles: cycles, live: live, fixed: 10 * MiB} }
		k.look(k.usage())
		return resized.Load()
	}
	k.trusted = 0
	less := see(1, 1200*MiB)
	assert.Less(t, less, int64(1000*MiB))
	assert.Equal(t, less, see(2, 1200*MiB), "it may have begun before")
	assert.Equal(t, less, see(3, less+200*MiB), "that is how it is now")
	assert.Less(t, see(4, less+300*MiB), less)
}

// However much others need, what there is stays the end of it.
func TestTheLimitStaysWithinTheMachine(t *testing.T) {
	k, _, _ := kept(t, 60*MiB, 60*MiB, 128*MiB)
	k.look(usage{cycles: k.trusted, live: 120 * MiB, fixed: 10 * MiB})
	assert.LessOrEqual(t, debug.SetMemoryLimit(-1)+beside, int64(128*MiB))
	k, _, _ = kept(t, 1000*MiB, 0, 1<<40)
	k.look(usage{cycles: k.trusted, live: 960 * MiB})
	assert.GreaterOrEqual(t, debug.SetMemoryLimit(-1), Bound(1000*MiB)-beside, "it is never less than usual")
}

// The keeper notices by itself what a collection has found.
func TestItWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, resized, _ := kept(t, MiB, MiB, beside+8*MiB)
		ballast := make([]byte, 64*MiB)
		runtime.GC()
		time.Sleep(2 * period)
		synctest.Wait()
		assert.EqualValues(t, MiB/leastFloor, resized.Load())
		runtime.KeepAlive(ballast)
		k.Close()
	})
}

func TestUsageIsThatOfTheRuntime(t *testing.T) {
	ballast := make([]byte, 32*MiB)
	runtime.GC()
	u := readUsage()
	require.Positive(t, u.cycles)
	assert.GreaterOrEqual(t, u.live, int64(len(ballast)))
	assert.Positive(t, u.fixed)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	assert.LessOrEqual(t, u.fixed, int64(m.Sys))
	runtime.KeepAlive(ballast)
}
