package proxy

import (
	"sync"

	"cacheproxy/purge"
)

// mostAudits is how many purges are remembered.
const mostAudits = 100

// audits are the last purges.
type audits struct {
	mu   sync.Mutex
	all  [mostAudits]purge.Audit // a ring
	next int                     // place of the next one
	n    int
}

func (a *audits) add(audit purge.Audit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all[a.next] = audit
	a.next = (a.next + 1) % mostAudits
	a.n = min(a.n+1, mostAudits)
}

// list returns them, the newest first.
func (a *audits) list() []purge.Audit {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]purge.Audit, a.n)
	for i := range out {
		out[i] = a.all[(a.next-1-i+2*mostAudits)%mostAudits]
	}
	return out
}
