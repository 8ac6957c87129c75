package h2

import (
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// encoder writes header blocks. Values that come again on the connection go
// through the table of the library's encoder; the others are written as they
// are, since to put them in the table would cost more than it saves, and push
// out what does come again.
type encoder struct {
	block   []byte
	enc     *hpack.Encoder
	resized bool
	version uint32 // of the table: positions change with what is added
	slots   []slot // by known.slot; made when needed
}

// slot is what is known of a field's last value on this connection.
type slot struct {
	last    []byte // a copy
	kept    string // a value that came twice, which the table may hold
	code    [3]byte
	n       uint8 // bytes of code, the position in the table
	version uint32
}

func (e *encoder) init() { e.enc = hpack.NewEncoder(e) }

// Write takes what the library's encoder writes.
func (e *encoder) Write(p []byte) (int, error) {
	e.block = append(e.block, p...)
	return len(p), nil
}

// resize follows the client's SETTINGS_HEADER_TABLE_SIZE. We use 4096 bytes at
// most.
func (e *encoder) resize(size uint32) {
	e.enc.SetMaxDynamicTableSize(size)
	e.resized = true
	e.version++
}

// shrink gives back what is not needed between requests.
func (e *encoder) shrink() { e.block, e.slots = nil, nil }

// begin starts the block of a response.
func (e *encoder) begin(status int) {
	e.start()
	switch status {
	case 200:
		e.block = append(e.block, 0x88)
	case 206:
		e.block = append(e.block, 0x8a)
	case 304:
		e.block = append(e.block, 0x8b)
	case 404:
		e.block = append(e.block, 0x8d)
	default:
		e.block = append(e.block, 0x08, 3) // :status, not indexed
		e.block = strconv.AppendInt(e.block, int64(status), 10)
	}
}

// start starts a block. A new size of the table has to be said first (RFC
// 7541, 4.2), which the library's encoder does with its next field.
func (e *encoder) start() {
	e.block = e.block[:0]
	if e.resized {
		e.resized = false
		_ = e.enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		e.block = e.block[:len(e.block)-1] // that was one byte
	}
}

// add adds a field, whose name may be in any case. Fields that concern a
// connection of HTTP/1.1 are left out.
func (e *encoder) add(name, value string) {
	k, ok := names[name]
	switch {
	case !ok:
		e.other(name, value)
	case k.hop:
	case k.slot == 0:
		e.literal(k, value)
	default:
		e.repeating(k, value)
	}
}

// repeating adds a field that mostly has the same value in all responses.
func (e *encoder) repeating(k known, value string) {
	if e.slots == nil {
		e.slots = make([]slot, slots+1)
	}
	s := &e.slots[k.slot]
	if s.kept != value || value == "" {
		if string(s.last) != value || len(value) > maxKept {
			s.last = append(s.last[:0], value[:min(len(value), maxKept)]...)
			e.literal(k, value)
			return
		}
		s.kept, s.n = strings.Clone(value), 0
	}
	if s.n > 0 && s.version == e.version {
		e.block = append(e.block, s.code[:s.n]...)
		return
	}
	at := len(e.block)
	_ = e.enc.WriteField(hpack.HeaderField{Name: k.lower, Value: s.kept})
	code := e.block[at:]
	if code[0]&0x80 == 0 || len(code) > len(s.code) { // it was added
		e.version++
		s.n = 0
		return
	}
	s.n, s.version = uint8(copy(s.code[:], code)), e.version
}

// maxKept is up to which length values are kept for comparison.
const maxKept = 1024

// literal adds a field as it is, without indexing (RFC 7541, 6.2.2).
func (e *encoder) literal(k known, value string) {
	e.block = append(e.block, k.prefix...)
	e.block = appendString(e.block, value)
}

// other adds a field with an uncommon name.
func (e *encoder) other(name, value string) {
	e.block = append(e.block, 0)
	at := len(e.block)
	e.block = appendString(e.block, name)
	for i := at; i < len(e.block); i++ {
		if b := e.block[i]; 'A' <= b && b <= 'Z' && i >= len(e.block)-len(name) {
			e.block[i] = b + 'a' - 'A'
		}
	}
	e.block = appendString(e.block, value)
}

// appendString appends a string without Huffman coding (RFC 7541, 5.2).
func appendString(b []byte, s string) []byte {
	n := len(s)
	if n < 127 {
		b = append(b, byte(n))
		return append(b, s...)
	}
	b = append(b, 127)
	for n -= 127; n >= 128; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	b = append(b, byte(n))
	return append(b, s...)
}
