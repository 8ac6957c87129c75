package workload

import (
	"math/rand/v2"
	"strconv"

	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/trace"
)

// Generator is a synthetic workload. It is not safe for concurrent use.
type Generator struct {
	spec    Spec
	random  *rand.PCG
	zipf    zipf
	objects int64
	rate    float64 // replacements of an object per request
	hosts   []string
	count   int64 // requests made so far
	fresh   int64 // objects made so far that are asked for once
}

// Kinds of objects. The numbers of kinds that are asked for once lie above those
// of all popular ones.
const (
	once = 1 << 60
	scan = 2 << 60
	post = 3 << 60
)

// New makes a source, or returns an error that names the setting which is out
// of range.
func New(s Spec) (*Generator, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	g := &Generator{spec: s, random: rand.NewPCG(s.Seed, 0x63616368), objects: s.Objects}
	if s.Footprint > 0 {
		var err error
		if g.objects, err = s.count(); err != nil {
			return nil, err
		}
	}
	g.zipf = newZipf(g.objects, s.Alpha)
	if s.Drift.Requests > 0 {
		g.rate = s.Drift.Share / float64(s.Drift.Requests)
	}
	for i := range s.Hosts {
		g.hosts = append(g.hosts, "h"+strconv.Itoa(i)+".test")
	}
	return g, nil
}

// Objects is the number of popular objects at one time.
func (g *Generator) Objects() int64 { return g.objects }

// Footprint is the sum of the sizes of the popular objects at the start, in
// bytes; of more than 262,144 of them it is an estimate. Variants count once.
func (g *Generator) Footprint() int64 { return g.spec.sum(g.objects) }

// Spec is what the generator was made of.
func (g *Generator) Spec() Spec { return g.spec }

// Next returns the next request; there always is one.
func (g *Generator) Next() (Request, bool) {
	s := &g.spec
	at := g.count
	g.count++
	shape := unit(g.random.Uint64())
	if shape < s.Post {
		return g.posting(), true
	}
	shape -= s.Post
	id := g.choose(at)
	o := g.object(id)
	return g.shaped(o, shape), true
}

// choose returns the number of the object that request at asks for.
func (g *Generator) choose(at int64) uint64 {
	s := &g.spec
	// The run ends each period, so that a workload does not begin with it.
	if s.Scan.Requests > 0 && at%s.Scan.Requests >= s.Scan.Requests-s.Scan.Length {
		return g.next(scan)
	}
	if s.Once > 0 && unit(g.random.Uint64()) < s.Once {
		return g.next(once)
	}
	rank := uint64(g.zipf.draw(g.random))
	if g.rate == 0 {
		return rank
	}
	// Each rank gets a new object at its own moments, equally far apart.
	generation := uint64(float64(float64(at)*g.rate) + unit(hash(rank, s.Seed)))
	return generation<<26 | rank
}

// next is a number of a kind that was not there yet.
func (g *Generator) next(kind uint64) uint64 {
	g.fresh++
	return kind | uint64(g.fresh)
}

// hash spreads the bits of a number and a seed.
func hash(n, seed uint64) uint64 {
	return rand.NewPCG(n, seed^0x6f626a).Uint64()
}

// object is what requests for the object of this number have in common.
func (g *Generator) object(id uint64) object {
	s := &g.spec
	o := object{size: s.Sizes.of(id, s.Seed)}
	o.target = trace.Object(id, o.size)
	if s.VaryEncoding > 0 || s.VaryLanguage > 0 {
		h := hash(id, ^s.Seed)
		o.byEncoding = unit(h) < s.VaryEncoding
		o.byLanguage = unit(h*0x9e3779b97f4a7c15) < s.VaryLanguage
		o.target += o.query()
	}
	if len(g.hosts) > 0 {
		o.host = g.hosts[hash(id, s.Seed+1)%uint64(len(g.hosts))]
	}
	return o
}

func (g *Generator) posting() Request {
	id := g.next(post)
	size := g.spec.Sizes.of(id, g.spec.Seed)
	target := trace.Object(id, size)
	r := Request{Method: "POST", Target: target, Size: size, Object: testorigin.Identify("", target, "")}
	if len(g.hosts) > 0 {
		r.Host = g.hosts[id%uint64(len(g.hosts))]
	}
	return r
}
