package revalidate

import (
	"hash/maphash"
	"sync"
	"time"
)

// Bounds of the memory for unshareable keys.
const (
	lonelyFor  = 10 * time.Second
	lonelyMost = 16384
)

// lonely remembers for a while the keys whose responses could not be shared,
// so that requests for them do not wait for each other in vain. It holds hashes,
// since keys may be long and are the clients' choice: one that is mistaken for
// another only costs a fetch.
type lonely struct {
	mu   sync.Mutex
	till map[uint64]time.Time
}

var lonelySeed = maphash.MakeSeed()

func lonelyHash(key string) uint64 { return maphash.String(lonelySeed, key) }

func (l *lonely) add(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.till == nil {
		l.till = make(map[uint64]time.Time)
	}
	if len(l.till) >= lonelyMost {
		l.makeRoom(now)
	}
	l.till[lonelyHash(key)] = now.Add(lonelyFor)
}

// makeRoom drops what has passed, and if nothing has, anything: to forget a
// key only costs a wait.
func (l *lonely) makeRoom(now time.Time) {
	for hash, till := range l.till {
		if !now.Before(till) {
			delete(l.till, hash)
		}
	}
	for hash := range l.till {
		if len(l.till) < lonelyMost/2 {
			return
		}
		delete(l.till, hash)
	}
}

func (l *lonely) has(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	till, ok := l.till[lonelyHash(key)]
	return ok && now.Before(till)
}

func (l *lonely) remove(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.till, lonelyHash(key))
}
