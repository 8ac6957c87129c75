package revalidate

import "sync"

// mostGone is how many keys are noted; beyond it all count as invalidated.
const mostGone = 1 << 16

// gone are the keys that are invalidated while a snapshot is being loaded: what the
// snapshot has for them comes too late. Nil is for when none is.
type gone struct {
	mu   sync.Mutex
	keys map[string]bool
	all  bool
}

// note is called before the key is deleted from the store.
func (g *gone) note(key string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.keys) >= mostGone {
		g.all, g.keys = true, nil
	}
	if !g.all {
		g.keys[key] = true
	}
}

// noteAll is note for every key.
func (g *gone) noteAll() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all, g.keys = true, nil
}

// has is asked inside the store's update of the key. So either it says so, or what is
// stored is deleted afterwards.
func (g *gone) has(key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all || g.keys[key]
}
