package snapshot

import (
	"errors"
	"time"
)

// ErrBusy says that a snapshot is being saved or loaded: there is one at a time, since
// each keeps a list of all entries, or the store's writers busy.
var ErrBusy = errors.New("another snapshot is being saved or loaded: try again when it is done")

// Saved is what became of a snapshot that was written.
type Saved struct {
	Entries int64 `json:"entries"` // stored responses that are in it
	Skipped int64 `json:"skipped"` // that are not: their header is larger than MostHead
	Bytes   int64 `json:"bytes"`   // of the snapshot
}

// Loaded is what became of a snapshot that was read. Every entry of it counts once,
// but for Displaced.
type Loaded struct {
	Entries int64 `json:"entries"` // put into the store
	Expired int64 `json:"expired"` // of no use any more
	Purged  int64 `json:"purged"`  // purged since it was saved
	Older   int64 `json:"older"`   // the store had as new a response or a newer one, or it was invalidated meanwhile
	Refused int64 `json:"refused"` // too large, or one variant too many, for the limits of today
	Invalid int64 `json:"invalid"` // intact, but not what this program would store
	Lost    int64 `json:"lost"`    // broken, or behind the point where the snapshot is cut off

	// Displaced is how many entries the store gave up meanwhile to keep within its
	// size; those of other traffic count too.
	Displaced int64 `json:"displaced"`

	Bytes     int64     `json:"bytes"`      // of the snapshot that were read
	Saved     time.Time `json:"saved"`      // when it was written
	Truncated bool      `json:"truncated"`  // its end is missing; then Lost is what was counted when it was begun
	ClockBack bool      `json:"clock_back"` // the clock is behind Saved: all was loaded as stale
}
