package revalidate

import (
	"sync/atomic"
	"time"
	"unsafe"

	"cacheproxy/cache"
	"cacheproxy/policy"
)

// Kept is a resource as the store holds it: the variants of one URL, which live
// and die together, in as little memory as they take. Two pieces of memory hold
// a plain response, and nothing in them has to be looked at by the garbage
// collector. [Resource] is what is read from it. It is immutable.
type Kept struct {
	head string // of the only variant, see pack
	// rest is a *byte, its content in one piece, of which head says how long it is;
	// or, without a head, a *[]*record: variants, content in pieces, or parts.
	// One field for both makes every entry of the store 16 bytes smaller.
	rest unsafe.Pointer
}

// body returns the content of a plain entry, nil for none.
func (k Kept) body() *byte { return (*byte)(k.rest) }

// records returns the records of what is not one plain entry.
func (k Kept) records() []*record {
	if k.head != "" || k.rest == nil {
		return nil
	}
	return *(*[]*record)(k.rest)
}

// record is one of several variants, or one that is not plain.
type record struct {
	head    string
	body    Body
	partial *policy.Partial
	used    atomic.Int64 // Unix time of the last use, to choose which variant goes
}

// keep makes the form in which the store holds entries. Times are kept relative
// to base.
func keep(entries []*Entry, base time.Time) Kept {
	if len(entries) == 1 && entries[0].plain() {
		e := entries[0]
		return Kept{head: e.packed(base), rest: unsafe.Pointer(unsafe.SliceData(e.Body.first()))}
	}
	records := make([]*record, len(entries))
	for i, e := range entries {
		records[i] = e.record
		if records[i] == nil {
			records[i] = &record{head: e.packed(base), body: e.Body, partial: e.Partial}
			records[i].used.Store(e.touched)
		}
	}
	return Kept{rest: unsafe.Pointer(&records)}
}

// plain reports whether an entry needs no record.
func (e *Entry) plain() bool { return e.Partial == nil && len(e.Body.Chunks()) <= 1 }

// packed returns the entry's facts and fields in one piece, for the store.
func (e *Entry) packed(base time.Time) string {
	if e.head != "" {
		return e.head
	}
	return pack(e, base)
}

// isNothing reports whether nothing is kept.
func (k Kept) isNothing() bool { return k.rest == nil && k.head == "" }

// cost returns the bytes of memory that the store holds with it, Kept itself not
// included.
func (k Kept) cost() int64 {
	if k.head != "" {
		_, room := extent(k.head)
		return cache.Allocated(int64(len(k.head))) + cache.Allocated(room)
	}
	records := k.records()
	n := sliceSize + cache.Allocated(int64(len(records))*pointerSize)
	for _, r := range records {
		n += recordSize + cache.Allocated(int64(len(r.head)))
		chunks := r.body.Chunks()
		if len(chunks) > 1 {
			n += manySize + cache.Allocated(int64(len(chunks))*sliceSize)
		}
		for _, c := range chunks {
			n += cache.Allocated(int64(cap(c)))
		}
		if r.partial != nil {
			n += cache.Allocated(int64(unsafe.Sizeof(*r.partial))) + cache.Allocated(int64(len(r.partial.Held))*rangeSize)
		}
	}
	return n
}

const (
	pointerSize = int64(unsafe.Sizeof(uintptr(0)))
	sliceSize   = int64(unsafe.Sizeof([]byte(nil)))
	recordSize  = int64(unsafe.Sizeof(record{}))
	manySize    = int64(unsafe.Sizeof(many{}))
	rangeSize   = int64(unsafe.Sizeof(policy.ByteRange{}))
)
