// Package cache keeps values under string keys within a budget of bytes. It
// knows keys, values and costs; what a value means, and whether it is still
// fresh, is the caller's business.
//
// A [Store] may forget any value at any time, but it never serves a wrong one: a
// Get returns what the last Update, Set or Delete of that key left, or nothing.
// What an entry costs is for the caller to say; a cost that is to mean memory is
// the value, the key and [Store.Overhead] together.
//
// Two engines choose what is kept. An expired value is never returned by either,
// but its bytes are counted until it is collected: by gdsf within about ten seconds;
// by ristretto when it looks at all entries, with a pause of five seconds, or of 64
// times as long as the last look took if that is more. That is about ten seconds for a
// million entries, and about a minute for ten million.
//
// # gdsf
//
// GreedyDual-Size-Frequency evicts the entry of the least priority
// L + frequency / size^exponent, where L is the priority that the last victim had
// when the entry was used last. All is applied when a call returns, and the newest
// value is always taken.
//
//   - A hit takes the read lock of one of 64 shards and notes frequency and L in the
//     entry, nothing else.
//   - All writes share one mutex and one heap: heaps that evict each for its own
//     shard lose many points of hit ratio, since a large entry empties its shard.
//   - The heap is lazy. Its keys are lower bounds of the priorities, which hits only
//     raise; the bound at the top is raised to the priority before it is believed.
//     Victims are those of the textbook.
//   - A small sketch remembers the frequency of what was evicted.
//
// # ristretto
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
//   - Expiry takes memory for each entry, and stalls all else when many expire.
//   - Close panics beside a Get or Set, and Clear lets queued Sets survive.
//
// # How the overlay hides it
//
// Only who has the turn changes the engine: the writer and the sweeper, which are
// goroutines, or a call that concerns the whole store. What callers want goes into
// a map of pending intents (hash to the newest item or a tombstone, in shards)
// before the call returns. Look-ups ask the intents first, and the engine only for
// hashes that have none. The writer applies up to 512 intents, waits until the
// engine has worked them off, and only then forgets those that are still the newest
// of their hash; the others go round again. A changed cost is written as Del and
// Set, so that it is evicted for. There is no index of what is applied: the engine
// is asked.
//
// INVARIANT: what the engine holds under a hash is what the last intent of that hash
// left there, or is hidden by a newer pending one. Without a pending intent, and
// with the shard locked or the turn taken, it can only be evicted.
//
// Interleavings that this rules out:
//
//	Set(k, a)  Set(k, b)  the writer applies a        Get(k): b is pending
//	Set(k, a)  Delete(k)  the writer applies a        Get(k): the tombstone is pending
//	writer: Del(k) for a new cost    Get(k)           the new item is pending
//	writer: Set(k, a), not waited    Delete, Get(k)   the intent stays until the wait is over
//	eviction of a        Set(k, b)   late callback    it names a, which has left the accounts
//	Range reads the engine    a is settled in it      not while Range has the turn
//	sweep finds a expired     Set(k, b) is applied    a has left the accounts: k is not deleted
//
// Callbacks of the engine may come twice, or with a zero value. Each item carries a
// mark that it has left the accounts: whoever sets it first, eviction, refusal, a
// newer item, the sweep, Resize or Clear, counts it, and nobody else.
//
// # What remains of ristretto
//
// Admission may refuse what Set accepted: the value is gone a moment later, and so
// is the one before it. Large values that are seen for the first time on a full
// store fare worst. Pending items come on top of MaxCost: callers wait while they
// make up more than a sixty-fourth of it or 1 MiB, the larger of the two.
// Frequencies are counted with losses under load; an Update of a key that has a
// value counts as a use of it. A store that is much larger than Options foresaw
// (Resize, or a MeanCost that is far too large) evicts less wisely.
package cache
