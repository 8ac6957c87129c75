package cache

import (
	"fmt"
	"time"
)

// Store keeps values of type V under string keys within a budget of bytes. All its
// methods may be called from any goroutine. A value must not be changed after it
// was given. After Close every Get misses and every write is refused.
type Store[V any] interface {
	// Get returns what the last Update, Set or Delete of key left, unless it was
	// evicted or has expired. It does not allocate.
	Get(key string) (V, bool)

	// GetAt is Get for a caller that has just asked for the time, with its monotonic
	// reading: on a hit that is worth the saving.
	GetAt(key string, now time.Time) (V, bool)

	// Update reads, decides and writes in one step: no other write of the same key
	// comes between. fn runs once, under a lock that writes of other keys share: it
	// must be quick and must not call the store. What it put is visible when Update
	// returns.
	//
	// It returns false if a Put was refused, because the cost is below 1 or above
	// MaxCost, or the TTL is negative; then the old value is gone too, for it has
	// been superseded. On a closed store it returns false and does not call fn. With
	// ristretto it waits while too many bytes are pending.
	Update(key string, fn func(old V, ok bool) Change[V]) bool

	// Set puts a value that counts cost bytes and expires after ttl (0 = never). It
	// is visible on return, or Set returns false and the old value is gone too; see
	// Update.
	Set(key string, v V, cost int64, ttl time.Duration) bool

	// Delete removes the value of key, which is not served any more once Delete has
	// returned. It reports whether there was one.
	Delete(key string) bool

	// Range calls fn for each entry until fn returns false; cost is what the entry
	// counts in Stats.Cost. No lock is held during fn, which may call the store: an
	// entry that is changed meanwhile may be seen as it was.
	Range(fn func(key string, v V, cost int64) bool)

	// Clear removes everything, and the frequencies that eviction relies on. What was
	// written before the call is not served any more once Clear has returned, and its
	// memory is free; what is written meanwhile may go too.
	Clear()

	// Resize sets MaxCost; a value below 1 changes nothing. When the store shrinks,
	// entries are evicted until the rest fits; other writes go on meanwhile. The memory of
	// what was evicted is free on return, but for its places in maps, which do not
	// shrink: they serve other entries, and are free after Clear. Tables that were sized
	// by MaxCost keep the size that New gave them. With ristretto, Clear, Flush and
	// Range wait for a Resize.
	Resize(maxCost int64)

	// Flush returns when all that was written before the call has been applied:
	// admitted or refused, and evicted for.
	Flush()

	// Stats reads the figures; it takes no lock.
	Stats() Stats

	// Overhead is what an entry takes in memory beside its key and what its value
	// points at, in bytes; the counters that Options size are not in it. Callers add
	// it to their costs.
	Overhead() int64

	// Close stops the store and frees its memory. It may be called during traffic
	// and more than once. The error is always nil.
	Close() error
}

// Engine names a way to choose what is kept.
type Engine string

const (
	Ristretto Engine = "ristretto" // TinyLFU admission, sampled LFU eviction; blind to size
	GDSF      Engine = "gdsf"      // GreedyDual-Size-Frequency: prefers small and often used
)

// Engines lists the engines, the default first.
func Engines() []Engine { return []Engine{Ristretto, GDSF} }

// DefaultExponent is the size exponent of gdsf that weighs requests and bytes
// alike.
const DefaultExponent = 0.5

// DefaultMeanCost is the mean cost of an entry that is expected where Options do not
// say, in bytes. Sites with small objects lost up to 7 points of hit ratio at twice of
// it.
const DefaultMeanCost = 8 << 10

// Options says what New makes.
type Options struct {
	// MaxCost bounds the sum of all costs, in bytes; at least 1.
	MaxCost int64
	// MeanCost is the expected mean cost of an entry, in bytes; 0 = DefaultMeanCost. It
	// sizes the frequency counters: for each entry that fits, 100 to 200 bytes with
	// ristretto and 16 to 32 with gdsf. With the default these are up to 2.4 % of
	// MaxCost with ristretto and up to 0.4 % with gdsf, on top of it; more of a store of
	// less than some MiB.
	MeanCost int64
	// Engine chooses what is kept; "" = Ristretto.
	Engine Engine
	// Exponent says how much size counts against an entry in gdsf, from 0 (not at
	// all: fewest bytes from the origin) to 1 (in full: fewest requests). It is taken
	// as it is; see DefaultExponent. Ristretto has no use for it.
	Exponent float64
}

// New starts a store; Close stops it. It returns an error that names the option
// which is out of range.
func New[V any](o Options) (Store[V], error) {
	if o.MaxCost < 1 {
		return nil, fmt.Errorf("cache: MaxCost is %d: give a size of at least 1 byte", o.MaxCost)
	}
	if o.MeanCost < 0 {
		return nil, fmt.Errorf("cache: MeanCost is %d: give a size in bytes, or 0 for the default", o.MeanCost)
	}
	if !(o.Exponent >= 0 && o.Exponent <= 1) { // also NaN
		return nil, fmt.Errorf("cache: Exponent is %v: give a number from 0 to 1", o.Exponent)
	}
	switch o.Engine {
	case "", Ristretto:
		return newOverlay[V](o)
	case GDSF:
		return newGDSF[V](o), nil
	}
	return nil, fmt.Errorf("cache: Engine is %q: choose one of %q", o.Engine, Engines())
}

// fitting is how many entries of the expected size fit.
func (o Options) fitting() int64 {
	mean := o.MeanCost
	if mean == 0 {
		mean = DefaultMeanCost
	}
	return o.MaxCost / mean
}
