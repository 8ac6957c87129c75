package revalidate

import (
	"encoding/binary"
	"math/bits"
	"net/http"
	"slices"
	"strings"
	"time"
	"unsafe"

	"cacheproxy/policy"
)

// A packed entry is one string:
//
//	lengths  8 bytes: 4 bits for each number say how many bytes it takes
//	numbers  in the order of the constants below, least byte first
//	texts    tags, if there are any; name and value of each field that Vary names; and
//	         those of ETag and Content-Language that are not part of the fields
//	fields   the rest
//
// It is read at every hit, hence numbers that need no loop, and it is there for
// every entry, hence numbers that take no more bytes than they need.
const (
	sizeOf       = iota // of the content
	slackOf             // memory of the content beyond its size
	flags               // and status, source
	received            // since base, so that it keeps to the monotonic clock
	took                // from the request to the receipt
	date                // see packTime
	modified            // see packTime
	initialAge          // nanoseconds, as all that follow
	lifetime            //
	staleWhile          //
	staleError          //
	varyFields          // how many
	tagAt               // where ETag begins in the fields, plus 1; 0 = it is a text
	tagSize             //
	languageAt          // as tagAt
	languageSize        //
	numbers
)

// Bits of flags.
const (
	isHead = 1 << iota
	noCache
	mustRevalidate
	immutable
	sourceShift = 4
	statusShift = 8
	tagged      = 1 << 24 // the highest, so that it costs only those that have tags
)

// pack makes the form in which the store has an entry.
func pack(e *Entry, base time.Time) string {
	chunk := e.Body.first()
	n := [numbers]uint64{
		sizeOf: uint64(len(chunk)), slackOf: uint64(cap(chunk) - len(chunk)), flags: packFlags(e.Stored),
		received: zigzag(int64(e.Received.Sub(base))), took: zigzag(int64(e.Received.Sub(e.Requested))),
		date: packTime(e.Date, base), modified: packTime(e.LastModified, base),
		initialAge: zigzag(int64(e.InitialAge)), lifetime: zigzag(int64(e.Lifetime)),
		staleWhile: zigzag(int64(e.StaleWhileRevalidate)), staleError: zigzag(int64(e.StaleIfError)),
		varyFields: uint64(len(e.Vary)), tagSize: uint64(len(e.ETag)), languageSize: uint64(len(e.ContentLanguage)),
	}
	var texts []byte
	if e.Tags != "" {
		texts = appendText(texts, e.Tags)
	}
	for i, name := range e.Vary {
		texts = appendText(appendText(texts, name), e.VaryValues[i])
	}
	n[tagAt], texts = packPart(texts, e.Fields, e.ETag)
	n[languageAt], texts = packPart(texts, e.Fields, e.ContentLanguage)

	var room [8 + 8*numbers]byte
	b, lengths := room[:8], uint64(0)
	for i, v := range n {
		size := (bits.Len64(v) + 7) / 8
		lengths |= uint64(size) << (4 * i)
		b = append(b, binary.LittleEndian.AppendUint64(room[len(b):len(b)], v)[:size]...)
	}
	binary.LittleEndian.PutUint64(room[:], lengths)
	var out strings.Builder
	out.Grow(len(b) + len(texts) + len(e.Fields))
	out.Write(b)
	out.Write(texts)
	out.WriteString(string(e.Fields))
	return out.String()
}

func packFlags(s *policy.Stored) uint64 {
	m := uint64(s.Status)<<statusShift | uint64(s.Source)<<sourceShift
	for bit, set := range [...]bool{s.Method == http.MethodHead, s.NoCache, s.MustRevalidate, s.Immutable} {
		if set {
			m |= 1 << bit
		}
	}
	if s.Tags != "" {
		m |= tagged
	}
	return m
}

func unpackFlags(s *policy.Stored, m uint64) {
	s.Method = http.MethodGet
	if m&isHead != 0 {
		s.Method = http.MethodHead
	}
	s.NoCache, s.MustRevalidate, s.Immutable = m&noCache != 0, m&mustRevalidate != 0, m&immutable != 0
	s.Source, s.Status = policy.Source(m>>sourceShift&15), int(m&(tagged-1)>>statusShift)
}

// zigzag makes small numbers of small ones that may be negative.
func zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

// packTime gives whole seconds, as all are that come in fields, a short form. Others
// are of our own clock: the last bit says that it is nanoseconds since base, within
// 70 years of it. 1 is no time.
func packTime(t, base time.Time) uint64 {
	switch {
	case t.IsZero():
		return 1
	case t.Nanosecond() == 0:
		return zigzag(t.Unix()) << 1
	}
	return (zigzag(int64(t.Sub(base)))+1)<<1 | 1
}

func unpackTime(n uint64, base time.Time) time.Time {
	switch {
	case n == 1:
		return time.Time{}
	case n&1 == 0:
		return time.Unix(unzigzag(n>>1), 0)
	}
	return base.Add(time.Duration(unzigzag(n>>1 - 1)))
}

// appendText appends a string with its length before it.
func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// packPart says where a string is in the fields, or appends it to the texts.
func packPart(texts []byte, fields Block, s string) (uint64, []byte) {
	if at := strings.Index(string(fields), s); at >= 0 {
		return uint64(at) + 1, texts
	}
	return 0, append(texts, s...)
}

// reading is how far the numbers of a packed entry have been read.
type reading struct {
	head    []byte
	at      int
	lengths uint64
}

func readNumbers(head string) reading {
	b := unsafe.Slice(unsafe.StringData(head), len(head))
	return reading{b, 8, binary.LittleEndian.Uint64(b)}
}

// next returns the next number: the last of the eight bytes that end where it ends.
// Before the first one there are as many.
func (r *reading) next() uint64 {
	size := r.lengths & 15
	r.lengths >>= 4
	r.at += int(size)
	return binary.LittleEndian.Uint64(r.head[r.at-8:]) >> (64 - 8*size)
}

func (r *reading) duration() time.Duration { return time.Duration(unzigzag(r.next())) }

// extent returns the length of the content of a packed entry, and the memory that
// it has.
func extent(head string) (size, room int64) {
	r := readNumbers(head)
	size = int64(r.next())
	return size, size + int64(r.next())
}

// unpack reads a packed entry and its content, if that is in one piece, into v: the
// numbers in their order, then the strings, which are parts of head. Nothing is
// allocated when words has room.
func (v *view) unpack(head string, body *byte, base time.Time, words []string) []string {
	r, s := readNumbers(head), &v.stored
	v.entry.head = head
	v.entry.Body = Body{}
	size := r.next()
	room := size + r.next()
	if body != nil {
		v.entry.Body.one[0] = unsafe.Slice(body, room)[:size]
	}
	set := r.next()
	unpackFlags(s, set)
	since := r.duration()
	s.Received = base.Add(since)
	s.Requested = base.Add(since - r.duration())
	s.Date = unpackTime(r.next(), base)
	s.LastModified = unpackTime(r.next(), base)
	s.InitialAge = r.duration()
	s.Lifetime = r.duration()
	s.StaleWhileRevalidate = r.duration()
	s.StaleIfError = r.duration()
	vary := int(r.next())
	tagAt, tagSize := r.next(), r.next()
	languageAt, languageSize := r.next(), r.next()
	rest := head[r.at:]
	s.Tags = ""
	if set&tagged != 0 {
		s.Tags, rest = cutText(rest)
	}
	s.Vary, s.VaryValues = nil, nil
	if vary > 0 {
		s.Vary, s.VaryValues, words, rest = unpackVary(vary, words, rest)
	}
	if tagAt == 0 {
		s.ETag, rest = rest[:tagSize], rest[tagSize:]
	}
	if languageAt == 0 {
		s.ContentLanguage, rest = rest[:languageSize], rest[languageSize:]
	}
	if tagAt > 0 {
		s.ETag = rest[tagAt-1:][:tagSize]
	}
	if languageAt > 0 {
		s.ContentLanguage = rest[languageAt-1:][:languageSize]
	}
	v.entry.Fields = Block(rest)
	return words
}

// unpackVary reads the names and values of Vary into words.
func unpackVary(n int, words []string, rest string) (names, values, longer []string, after string) {
	from, mid, end := len(words), len(words)+n, len(words)+2*n
	words = slices.Grow(words, 2*n)[:end]
	for i := range n {
		words[from+i], rest = cutText(rest)
		words[mid+i], rest = cutText(rest)
	}
	return words[from:mid:mid], words[mid:end:end], words, rest
}

// cutText cuts off what appendText has written.
func cutText(s string) (text, rest string) {
	n := binary.LittleEndian.Uint32(unsafe.Slice(unsafe.StringData(s), 4))
	return s[4:][:n], s[4+n:]
}
