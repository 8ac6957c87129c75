// Package revalidate asks origins and turns their answers into entries.
//
// # Flow
//
// [Fetcher.Do] gets an answer for a request that the store could not satisfy.
// Requests for the same thing share one flight: the first starts it, the
// others wait. At the response's head the flight knows whether the response
// may be shared; if so, everybody reads the growing body at their own pace, if
// not, the first client gets the response and the others are released at once
// to ask for themselves. The key is remembered for a while, so that the next
// requests do not queue for nothing.
// Who comes when a flight has just landed gets what it stored.
//
// A flight ends in exactly one way: stored, not shareable, failed, or
// abandoned. It has its own context: a client that leaves does not end it
// while somebody waits or the object is worth finishing.
//
// [Fetcher.Refresh] runs a flight that nobody waits for, [Fetcher.Forward]
// passes a request on by itself, and [Fetcher.Invalidate] forgets what is
// stored for a URL, including what is on its way.
//
// [Fetcher.Purge] sets marks. A look-up applies those in force to what it reads, and
// so does whoever is about to store something. A sweep takes out of the store what
// they hit; a mark ends when it was swept for, and all flights that began before it
// have landed. So most of the time there are none.
//
// # Scope
//
// No judgement is made here: package policy says what may be stored, shared
// and combined. Whoever starts a goroutine here is waited for by
// [Fetcher.Close].
package revalidate
