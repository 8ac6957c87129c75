package main

import (
	"io"
	"math"

	"github.com/maypok86/otter/v2"

	"cacheproxy/bench/simulate"
	"cacheproxy/cache"
)

// policy is a column of the table.
type policy struct {
	name string
	run  func(t *traceFile, max int64) (ratios, error)
}

// policies are the columns in order: ours, others, and what nobody can do
// without knowing the future.
var policies = []policy{
	{"ristretto", online(engine(cache.Ristretto))},
	{"gdsf", online(engine(cache.GDSF))},
	{"otter", online(newOtter)},
	{"s3fifo", online(func(_ *traceFile, max int64) (simulate.Policy, error) { return simulate.NewS3FIFO(max), nil })},
	{"lru", online(func(_ *traceFile, max int64) (simulate.Policy, error) { return simulate.NewLRU(max), nil })},
	{"fifo", online(func(_ *traceFile, max int64) (simulate.Policy, error) { return simulate.NewFIFO(max), nil })},
	{"belady-size", online(newBelady)},
	{"pfoo-u", bound},
}

// notes say what the columns are, in the same order.
var notes = []string{
	"ristretto: the default engine. Counters are sized by the true mean size, every write has been applied before the next request, and no use is lost: its best case.",
	"gdsf: the engine gdsf with size exponent 1/2.",
	"otter: github.com/maypok86/otter/v2 v2.4.0, CleanUp after each write and hit.",
	"s3fifo: small queue of 10 %, all bounds in bytes. lru, fifo: exact.",
	"belady-size: knows the future; evicts, of 256 objects drawn at random, the one with the largest product of size and time to the next use. Not a bound, but what hindsight would reach.",
	"pfoo-u: no policy can be above it, in either ratio (Berger, Beckmann, Harchol-Balter 2018). One for requests and one for bytes: no single policy has to reach both.",
}

// online runs a policy over the requests.
func online(make func(t *traceFile, max int64) (simulate.Policy, error)) func(*traceFile, int64) (ratios, error) {
	return func(t *traceFile, max int64) (ratios, error) {
		p, err := make(t, max)
		if err != nil {
			return ratios{}, err
		}
		if c, ok := p.(io.Closer); ok {
			defer c.Close()
		}
		// Every request reaches the policy: belady counts them.
		r, err := simulate.Replay(t.ctx, t.sequence, p, t.sizes, math.MaxInt64)
		return ratios{r.HitRatio(), r.ByteHitRatio()}, err
	}
}

func engine(name cache.Engine) func(*traceFile, int64) (simulate.Policy, error) {
	return func(t *traceFile, max int64) (simulate.Policy, error) {
		return simulate.NewEngine(cache.Options{
			MaxCost:  max,
			MeanCost: t.Footprint / int64(t.Objects),
			Engine:   name,
			Exponent: cache.DefaultExponent,
		})
	}
}

// otterCache is otter as a policy. Its values are the costs.
type otterCache struct{ *otter.Cache[uint32, uint32] }

func newOtter(_ *traceFile, max int64) (simulate.Policy, error) {
	c, err := otter.New(&otter.Options[uint32, uint32]{
		MaximumWeight: uint64(max),
		Weigher:       func(_, cost uint32) uint32 { return cost },
		Executor:      func(fn func()) { fn() }, // at once, not in a goroutine
	})
	return otterCache{c}, err
}

func (o otterCache) Get(object uint32) bool {
	_, ok := o.GetIfPresent(object)
	if ok {
		o.CleanUp() // counts the use
	}
	return ok
}

func (o otterCache) Set(object uint32, cost int64) {
	o.Cache.Set(object, uint32(cost)) // readTrace has seen that it fits
	o.CleanUp()
}
