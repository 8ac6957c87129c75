package revalidate

import (
	"sync/atomic"
	"time"
	"unsafe"

	"cacheproxy/policy"
)

// Kept is a resource as the store holds it: the variants of one URL, which live
// and die together, in as little memory as they take. Two pieces of memory hold
// a plain response, and nothing in them has to be looked at by the garbage
// collector. [Resource] is what is read from it. It is immutable.
type Kept struct {
	head string     // of the only variant, see packer
	body *byte      // its content, in one piece; head says how long it is
	more *[]*record // instead: variants, content in pieces, or parts
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
		var body *byte
		if chunk := e.Body.first(); chunk != nil {
			body = unsafe.SliceData(chunk)
		}
		return Kept{head: e.packed(base), body: body}
	}
	records := make([]*record, len(entries))
	for i, e := range entries {
		records[i] = e.record
		if records[i] == nil {
			records[i] = &record{head: e.packed(base), body: e.Body, partial: e.Partial}
			records[i].used.Store(e.touched)
		}
	}
	return Kept{more: &records}
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
func (k Kept) isNothing() bool { return k.head == "" && k.more == nil }

// cost returns the bytes of memory that the store holds with it, Kept itself not
// included.
func (k Kept) cost() int64 {
	if k.more == nil {
		_, room := extent(k.head)
		return allocated(int64(len(k.head))) + allocated(room)
	}
	n := int64(sliceSize) + allocated(int64(len(*k.more))*pointerSize)
	for _, r := range *k.more {
		n += recordSize + allocated(int64(len(r.head)))
		chunks := r.body.Chunks()
		if len(chunks) > 1 {
			n += manySize + allocated(int64(len(chunks))*sliceSize)
		}
		for _, c := range chunks {
			n += allocated(int64(cap(c)))
		}
		if r.partial != nil {
			n += allocated(int64(unsafe.Sizeof(*r.partial))) + allocated(int64(len(r.partial.Held))*rangeSize)
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
