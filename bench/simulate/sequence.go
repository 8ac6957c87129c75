package simulate

import (
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"net/http"

	"cacheproxy/bench/trace"
	"cacheproxy/policy"
)

// Object is something that a cache may keep.
type Object struct {
	Size int64 // bytes of the body
	Key  int   // bytes of the URL
}

// Access is a request for an object.
type Access struct {
	Object uint32 // its place in Objects
	Bytes  int64  // of the body, as sent to the client
}

// Sequence is what is replayed: the requests of a site, in order.
type Sequence struct {
	Accesses []Access
	Objects  []Object
	Left     Left
}

// Left counts requests that are not replayed, since no cache could have answered
// them, and their bytes.
type Left struct {
	// Requests, by the first reason that applies.
	Method  int64 `json:"method"`
	Status  int64 `json:"status"`
	Private int64 `json:"private"`

	Bytes int64 `json:"bytes"`
}

// Requests is the number of all of them.
func (l Left) Requests() int64 { return l.Method + l.Status + l.Private }

// Reader yields requests until io.EOF.
type Reader interface {
	Next() (trace.Request, error)
}

const unknown = -1 // size of an object of which only HEAD, 206 or 304 was seen so far

type version struct {
	url  uint64
	size int64
}

// Builder collects a sequence, from one log after the other. Its zero value is
// not ready; see [NewBuilder].
type Builder struct {
	sequence Sequence
	statuses policy.StatusTable
	seed     maphash.Seed
	latest   map[uint64]uint32 // hash of a URL -> the object that it was last
	versions map[version]uint32
	key      []byte // room
}

// NewBuilder starts an empty sequence.
func NewBuilder() *Builder {
	return &Builder{
		statuses: policy.DefaultStatuses(),
		seed:     maphash.MakeSeed(),
		latest:   map[uint64]uint32{},
		versions: map[version]uint32{},
	}
}

// Read adds the requests of a log up to its end. It calls progress, which may
// be nil, now and then with the number of requests so far.
func (b *Builder) Read(r Reader, progress func(requests int)) error {
	for n := 1; ; n++ {
		rq, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := b.Add(rq); err != nil {
			return err
		}
		if progress != nil && n%(1<<16) == 0 {
			progress(n)
		}
	}
}

// Add adds one request. It fails when there are 2^32 objects.
func (b *Builder) Add(rq trace.Request) error {
	left := &b.sequence.Left
	switch {
	case rq.Method != http.MethodGet && rq.Method != http.MethodHead:
		left.Method++
		left.Bytes += rq.Size
		return nil
	case rq.Status != 0 && rq.Status != http.StatusNotModified && b.statuses.Rule(rq.Status) != policy.Heuristic:
		left.Status++
		left.Bytes += rq.Size
		return nil
	case rq.Private:
		left.Private++
		left.Bytes += rq.Size
		return nil
	}
	if len(b.sequence.Objects) == math.MaxUint32 {
		return fmt.Errorf("more than %d objects: give a part of the log", uint32(math.MaxUint32))
	}
	o := b.object(rq)
	b.sequence.Accesses = append(b.sequence.Accesses, Access{Object: o, Bytes: rq.Size})
	return nil
}

// object finds the object of a request, or makes it.
func (b *Builder) object(rq trace.Request) uint32 {
	b.key = append(append(b.key[:0], policy.Host("http", rq.Host)...), rq.Target...)
	url := maphash.Bytes(b.seed, b.key)
	latest, seen := b.latest[url]
	if rq.Method == http.MethodHead || rq.Status == http.StatusPartialContent || rq.Status == http.StatusNotModified {
		if !seen {
			latest = b.add(Object{Size: unknown, Key: len(b.key)})
			b.latest[url] = latest
		}
		return latest
	}
	v := version{url, rq.Size}
	o, known := b.versions[v]
	switch {
	case known:
	case seen && b.sequence.Objects[latest].Size == unknown:
		o = latest
		b.sequence.Objects[o].Size = rq.Size
	default:
		o = b.add(Object{Size: rq.Size, Key: len(b.key)})
	}
	b.versions[v], b.latest[url] = o, o
	return o
}

func (b *Builder) add(o Object) uint32 {
	b.sequence.Objects = append(b.sequence.Objects, o)
	return uint32(len(b.sequence.Objects) - 1)
}

// Sequence returns what was added, and ends the builder. An object of which
// only parts were seen has the size of the largest one.
func (b *Builder) Sequence() *Sequence {
	s := &b.sequence
	largest := map[uint32]int64{}
	for _, a := range s.Accesses {
		if s.Objects[a.Object].Size == unknown {
			largest[a.Object] = max(largest[a.Object], a.Bytes)
		}
	}
	for o, size := range largest {
		s.Objects[o].Size = size
	}
	b.latest, b.versions = nil, nil
	return s
}

// Footprint is the sum of the sizes of all objects, in bytes.
func (s *Sequence) Footprint() (bytes int64) {
	for _, o := range s.Objects {
		bytes += o.Size
	}
	return bytes
}

// OnceOnly is the number of objects that are asked for only once.
func (s *Sequence) OnceOnly() (objects int) {
	times := make([]uint32, len(s.Objects))
	for _, a := range s.Accesses {
		times[a.Object]++
	}
	for _, n := range times {
		if n == 1 {
			objects++
		}
	}
	return objects
}

// Sizes are the costs of all objects in bytes when only their bodies count; at
// least 1.
func (s *Sequence) Sizes() []int64 {
	return s.costs(func(o Object) int64 { return o.Size })
}

// Costs are the costs of all objects in bytes: the body, the URL and what is
// kept around them.
func (s *Sequence) Costs(around int64) []int64 {
	return s.costs(func(o Object) int64 { return o.Size + int64(o.Key) + around })
}

func (s *Sequence) costs(of func(Object) int64) []int64 {
	costs := make([]int64, len(s.Objects))
	for i, o := range s.Objects {
		costs[i] = max(of(o), 1)
	}
	return costs
}
