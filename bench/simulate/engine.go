package simulate

import (
	"encoding/binary"
	"runtime"

	"cacheproxy/cache"
	"cacheproxy/revalidate"
)

// Engine is a store of cacheproxy as a policy. It is deterministic as far as the
// store is: each write has been applied before the next request.
type Engine struct {
	store cache.Store[revalidate.Kept] // as in the proxy, so that Overhead is the proxy's
	lossy bool                         // counts uses in the background
}

// NewEngine starts a store; Close stops it. It returns an error that names the
// option which is out of range.
func NewEngine(o cache.Options) (*Engine, error) {
	store, err := cache.New[revalidate.Kept](o)
	if err != nil {
		return nil, err
	}
	return &Engine{store: store, lossy: o.Engine != cache.GDSF}, nil
}

// Get reports whether the object is held.
func (e *Engine) Get(object uint32) bool {
	_, ok := e.store.Get(key(object))
	if e.lossy {
		// Ristretto drops uses that come faster than its goroutine counts them. A
		// proxy is slower than a replay: let it run.
		runtime.Gosched()
	}
	return ok
}

// Set offers the object and waits until the store has decided.
func (e *Engine) Set(object uint32, cost int64) {
	e.store.Set(key(object), revalidate.Kept{}, cost, 0)
	e.store.Flush()
}

// Overhead is what an entry of the store takes beside key and value, in bytes.
func (e *Engine) Overhead() int64 { return e.store.Overhead() }

// Close stops the store.
func (e *Engine) Close() error { return e.store.Close() }

func key(object uint32) string {
	return string(binary.LittleEndian.AppendUint32(nil, object))
}
