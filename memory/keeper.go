package memory

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// Bound returns what the whole process may take with a store of the given size,
// in bytes of resident memory: 15 % and 64 MiB more than the store.
func Bound(size int64) int64 { return size + size/100*15 + 64<<20 }

const (
	// period is how often the keeper looks: often, since clients that do not read can
	// make the process hold as much as origins send.
	period = 100 * time.Millisecond

	// quiet is how far apart lines are that say the same.
	quiet = 10 * time.Second

	// beside is resident memory that the runtime does not count: the program
	// itself, stacks of threads, and what is allocated while a collection is under way.
	beside = 40 << 20

	// leastFloor is the share of its size that a store keeps in any case.
	leastFloor = 4

	// roomy is how much may be allocated between two collections as long as
	// there is little to keep: so few bytes need not be collected often.
	roomy = 32 << 20
)

// Store is what gives way.
type Store struct {
	Size   int64        // as configured, bytes
	Cost   func() int64 // bytes that its entries count now
	Resize func(int64)  // sets how much that may be
}

// Keeper keeps the process within its bound; Close ends it.
type Keeper struct {
	log       *slog.Logger
	available int64
	ownLimit  bool // GOMEMLIMIT is not set: the limit is ours to choose
	ownPace   bool // GOGC is not set
	usage     func() usage

	mu      sync.Mutex
	store   Store
	limit   int64  // for the runtime
	allowed int64  // what the store has now
	cycles  uint64 // collections up to the last look
	trusted uint64 // collections from this one on have begun since the store was resized
	percent int
	over    bool // the store gives what it can, nothing could be ended, and it is not enough

	relieve   func(need int64) int
	relieving bool      // at the last look it ended something
	ended     int       // by relieve, and not said yet
	said      time.Time // when that was said last
	warned    time.Time // when it was said last that the bound is exceeded

	stop, done chan struct{}
	closeOnce  sync.Once
}

// Keep tunes the garbage collector to a store, and watches over both. GOMEMLIMIT
// and GOGC of the environment come first. available is that of [Available].
func Keep(s Store, available int64, log *slog.Logger) *Keeper {
	k := &Keeper{
		log: log, store: s, percent: 100, usage: readUsage,
		ownLimit: os.Getenv("GOMEMLIMIT") == "", ownPace: os.Getenv("GOGC") == "",
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	k.SetSize(s.Size, available)
	go k.watch()
	return k
}

// SetSize follows a change of the configured size, and of what is available. It
// resizes the store.
func (k *Keeper) SetSize(size, available int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.available = available
	k.store.Size, k.allowed = size, size
	k.limit = limitFor(size, k.available)
	if bound := Bound(size); k.limit < bound-beside {
		k.log.Warn("cache.size leaves too little memory for the rest: the store will be smaller",
			"size", mebibytes(size), "process", mebibytes(bound), "available", mebibytes(available))
	}
	k.setLimit(k.limit)
	k.resize()
}

// limitFor returns the runtime's limit: that of the bound, or of what there is.
func limitFor(size, available int64) int64 {
	return min(max(Bound(size)-beside, beside), most(available))
}

// most is the limit that leaves something of what there is to everybody else.
func most(available int64) int64 { return max(available-available/20-beside, beside) }

func (k *Keeper) setLimit(n int64) {
	if k.ownLimit {
		debug.SetMemoryLimit(n)
		return
	}
	k.limit = debug.SetMemoryLimit(-1)
}

// OnShortage sets what is called, with the bytes that are missing, as long as the
// store has no more to give: it ends what holds memory beside the store, and returns
// how many it ended. Nil = nothing can.
func (k *Keeper) OnShortage(relieve func(need int64) int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.relieve = relieve
}

// Close stops the watch. The runtime stays as it was tuned.
func (k *Keeper) Close() {
	k.closeOnce.Do(func() {
		close(k.stop)
		<-k.done
	})
}

func (k *Keeper) watch() {
	defer close(k.done)
	t := time.NewTicker(period)
	defer t.Stop()
	for ticks := 0; ; ticks++ {
		select {
		case <-k.stop:
			return
		case <-t.C:
			if k.wantsCollection(ticks) {
				runtime.GC()
			}
			k.look(k.usage())
		}
	}
}

// wantsCollection reports whether to wait for the runtime to collect would take too
// long: only then is it seen what of the shortage is left. Where nothing could be
// ended, once in a second will do.
func (k *Keeper) wantsCollection(ticks int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.relieving || k.over && ticks%10 == 0
}

// look acts on what the last collection has found.
func (k *Keeper) look(u usage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if u.cycles == k.cycles {
		return
	}
	k.cycles = u.cycles
	k.pace(u)
	if u.cycles < k.trusted {
		return // it found entries that are gone, which are not to be taken for something else
	}
	j := judge(k.store.Size, k.store.Cost(), k.limit, u)
	k.relieving = k.end(j.short) > 0
	k.exceed(j.short > 0 && !k.relieving, u)
	step := k.store.Size / 50
	if j.allowed < k.allowed-step || j.allowed > k.allowed+step || j.allowed == k.store.Size && k.allowed < j.allowed {
		k.allowed = j.allowed
		k.resize()
	}
}

// resize tells the store.
func (k *Keeper) resize() {
	k.store.Resize(k.allowed)
	k.distrust()
}

// distrust waits for a collection that begins from now on. One may be under way.
func (k *Keeper) distrust() { k.trusted = k.usage().cycles + 2 }

// end ends what holds as many bytes as are missing.
func (k *Keeper) end(short int64) (ended int) {
	if short > 0 && k.relieve != nil {
		if ended = k.relieve(short); ended > 0 {
			k.ended += ended
			k.distrust()
		}
	}
	if now := time.Now(); k.ended > 0 && now.Sub(k.said) >= quiet {
		k.log.Warn("clients that read slowly held more memory than the store can give: their transfers were ended",
			"transfers", k.ended, "bound", mebibytes(Bound(k.store.Size)))
		k.ended, k.said = 0, now
	}
	return ended
}

// exceed raises the limit when the store has no more to give, and nothing could be
// ended: more collections would find nothing more. What there is stays the end of it.
func (k *Keeper) exceed(over bool, u usage) {
	limit := k.limit
	if over {
		limit = max(limit, min(u.fixed+u.live+u.live/8, most(k.available)))
	}
	if k.ownLimit {
		debug.SetMemoryLimit(limit)
	}
	if now := time.Now(); over && now.Sub(k.warned) >= quiet {
		k.warned = now
		k.log.Warn("connections and bodies on their way need more memory than the store can give: the process exceeds its bound",
			"bound", mebibytes(Bound(k.store.Size)), "store", mebibytes(k.store.Size/leastFloor))
	}
	k.over = over
}

func mebibytes(n int64) string { return strconv.FormatInt(n>>20, 10) + "MiB" }

// pace lets a small heap grow by a fixed amount before it is collected.
func (k *Keeper) pace(u usage) {
	if percent := percentFor(u.live); k.ownPace && percent != k.percent {
		k.percent = percent
		debug.SetGCPercent(percent)
	}
}

func percentFor(live int64) int {
	percent := min(max(100, roomy*100/max(live, 1)), 800)
	return int(percent / 50 * 50) // each change stops the world
}

// judgement is how much the store may have.
type judgement struct {
	allowed int64
	short   int64 // what is missing beside the least that the store keeps; 0 = nothing
}

// judge shares the limit out: what is not the store comes first, then room for
// what is allocated between two collections, and the store gets the rest, up to
// its size and down to a quarter of it.
func judge(size, cost, limit int64, u usage) judgement {
	others := max(0, u.live-cost)
	left := limit - u.fixed - limit/16 - others
	return judgement{
		allowed: min(max(left, size/leastFloor), size),
		short:   max(0, size/leastFloor-left),
	}
}
