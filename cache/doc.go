// Package cache keeps values under string keys within a budget of bytes. It
// knows keys, values and costs; what a value means, and whether it is still
// fresh, is the caller's business.
//
// A Store may forget any value at any time, but it never serves a wrong one: a
// Get returns what the last Update, Set or Delete of that key left, or nothing.
//
// # What lies below
//
// Admission and eviction are ristretto's (TinyLFU admission, sampled LFU
// eviction). Used directly it is no store for a cache that must be able to
// purge:
//
//   - A Set is queued, and a new key is invisible until the queue is worked off.
//   - The second of two quick Sets of a new key loses to the first.
//   - A Set that is still queued when Del is called brings the value back.
//   - A Set may be dropped when the queue is full, or refused by admission,
//     after it has returned true.
//   - An update that changes the cost never evicts, so updates outgrow MaxCost.
//   - Keys are compared by hash only.
//   - Close panics beside a Get or Set, and Clear lets queued Sets survive.
//
// # How the overlay hides it
//
// One goroutine, the writer, is the only one that changes the engine. Callers
// put what they want into an index (hash to item, in shards): the newest item
// of a key, or a tombstone, is there before the call returns, marked pending.
// Look-ups ask the pending items first, and the engine only for keys that have
// none. The writer applies up to 512 pending items, waits until the engine has
// worked them off, and only then takes the mark off those that are still the
// newest of their key; the others go round again. A changed cost is written as
// Del and Set, so that it is evicted for.
//
// INVARIANT: whatever the engine holds under a hash is the indexed item of that
// hash, or is hidden by a newer pending one.
//
// Interleavings that this rules out:
//
//	Set(k, a)  Set(k, b)  the writer applies a        Get(k): b is pending
//	Set(k, a)  Delete(k)  the writer applies a        Get(k): the tombstone is pending
//	writer: Del(k) for a new cost    Get(k)           the new item is pending
//	writer: Set(k, a), not waited    Delete, Get(k)   the mark stays until the wait is over
//	eviction of a        Set(k, b)   late callback    it names a, the index holds b: ignored
//
// Callbacks of the engine may come twice, or with a zero value. They are only
// ever believed when they carry the very item that the index holds, so an item
// leaves the accounting once.
//
// # What remains
//
// Admission may refuse what Set accepted: the value is gone a moment later, and
// so is the one before it. Large values that are seen for the first time on a
// full store fare worst. An expired value is never returned, but its bytes are
// counted for up to ten seconds more. Pending items come on top of MaxCost:
// callers wait while they make up more than an eighth of it. Frequencies are counted with
// losses under load. A store that is much larger than Options foresaw (Resize,
// or a MeanCost that is far too large) evicts less wisely.
package cache
