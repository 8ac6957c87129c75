package testorigin

import (
	"encoding/binary"
	"fmt"
)

// Content is what the body of an object holds: numbers of eight bytes that count
// up from a start of its own, in steps so large that the bytes look random. Any
// piece of it can be made and checked without the rest, none passes as a piece
// of another content or of another place, and it does not compress.
type Content uint64

// step is odd, so that no two blocks of a content are equal.
const step = 0x9e3779b97f4a7c15

const block = 8

// at is the block with this number.
func (c Content) at(number int64) uint64 { return uint64(c) + uint64(number)*step }

// Fill writes to p what the content holds from offset on, in bytes, not negative.
func (c Content) Fill(p []byte, offset int64) {
	number := offset / block
	if skip := int(offset % block); skip > 0 {
		var first [block]byte
		binary.LittleEndian.PutUint64(first[:], c.at(number))
		p = p[copy(p, first[skip:]):]
		number++
	}
	value := c.at(number)
	for len(p) >= block {
		binary.LittleEndian.PutUint64(p, value)
		value += step
		p = p[block:]
	}
	var last [block]byte
	binary.LittleEndian.PutUint64(last[:], value)
	copy(p, last[:])
}

// Check returns an error that names the first byte at which p differs from what
// the content holds from offset on, in bytes, not negative.
func (c Content) Check(offset int64, p []byte) error {
	at := offset
	value := c.at(at / block)
	for len(p) > 0 {
		if at%block == 0 {
			for len(p) >= block && binary.LittleEndian.Uint64(p) == value {
				value += step
				p = p[block:]
				at += block
			}
		}
		for i := at % block; i < block && len(p) > 0; i++ {
			if want := byte(value >> (8 * i)); p[0] != want {
				return fmt.Errorf("byte %d is %#02x, not %#02x", at, p[0], want)
			}
			p = p[1:]
			at++
		}
		value += step
	}
	return nil
}
