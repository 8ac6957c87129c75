package snapshot

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// Version is the version of the format that is written, and the only one that is read.
const Version = 1

// MostHead is how many bytes the head of a record may have.
const MostHead = 16 << 20

const (
	magic      = "cacheproxy snap\n"
	markerSize = 16
	headSize   = 64 // of the snapshot: magic, version, marker, time, records, 8 unused, checksum
	frameSize  = 40 // of a record: marker, number, length of head, length of body, checksum
	sumSize    = 4

	mostRecords = 1 << 48
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is what a snapshot begins with.
type head struct {
	version uint32
	marker  [markerSize]byte
	saved   time.Time // by the clock on the wall
	records int64     // about how many there will be
}

func (h *head) append(b []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, h.version)
	b = append(b, h.marker[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.saved.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.records))
	b = append(b, make([]byte, headSize-sumSize-(len(b)-start))...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parse reads a head; whole says that it is intact.
func (h *head) parse(b []byte) (whole bool) {
	body, sum := b[:headSize-sumSize], binary.LittleEndian.Uint32(b[headSize-sumSize:])
	if !bytes.HasPrefix(b, []byte(magic)) || crc32.Checksum(body, castagnoli) != sum {
		return false
	}
	b = b[len(magic):]
	h.version = binary.LittleEndian.Uint32(b)
	copy(h.marker[:], b[4:])
	h.saved = time.Unix(0, int64(binary.LittleEndian.Uint64(b[20:])))
	h.records = max(0, int64(binary.LittleEndian.Uint64(b[28:])))
	return true
}

// frame is what a record begins with. One without a head is the end.
type frame struct {
	number int64 // of the record, from 0
	head   int64 // bytes
	body   int64 // bytes
}

func (f *frame) append(b []byte, marker [markerSize]byte) []byte {
	start := len(b)
	b = append(b, marker[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.number))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.head))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.body))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parse reads a frame, whose marker was seen; whole says that it is intact.
func (f *frame) parse(b []byte) (whole bool) {
	if crc32.Checksum(b[:frameSize-sumSize], castagnoli) != binary.LittleEndian.Uint32(b[frameSize-sumSize:]) {
		return false
	}
	b = b[markerSize:]
	f.number = int64(binary.LittleEndian.Uint64(b))
	f.head = int64(binary.LittleEndian.Uint32(b[8:]))
	f.body = int64(binary.LittleEndian.Uint64(b[12:]))
	return f.number >= 0 && f.number < mostRecords && f.head <= MostHead && f.body >= 0
}
