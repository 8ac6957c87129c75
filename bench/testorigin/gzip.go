package testorigin

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A gzip form here is real gzip (RFC 1952) of stored blocks (RFC 1951, 3.2.4):
// every client can unpack it, its length is known before it is made, and making
// it costs little more than a copy.
const (
	gzipHead  = 10
	gzipTail  = 8
	storedMax = 1<<16 - 1 // bytes in a stored block
	storedTop = 5         // bytes before those
)

// GzipSize is the length, in bytes, of the gzip form of size bytes.
func GzipSize(size int64) int64 {
	blocks := max((size+storedMax-1)/storedMax, 1)
	return gzipHead + blocks*storedTop + size + gzipTail
}

// writeGzip writes the gzip form of the first size bytes of the content, made in
// buf, which has room for a stored block.
func writeGzip(w io.Writer, c Content, size int64, buf []byte) error {
	if _, err := w.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}); err != nil {
		return err
	}
	sum := uint32(0)
	for offset := int64(0); ; {
		n := int(min(size-offset, storedMax))
		last := offset+int64(n) == size
		top, data := buf[:storedTop], buf[storedTop:storedTop+n]
		top[0] = 0
		if last {
			top[0] = 1
		}
		binary.LittleEndian.PutUint16(top[1:], uint16(n))
		binary.LittleEndian.PutUint16(top[3:], ^uint16(n))
		c.Fill(data, offset)
		sum = crc32.Update(sum, crc32.IEEETable, data)
		if _, err := w.Write(buf[:storedTop+n]); err != nil {
			return err
		}
		if offset += int64(n); last {
			break
		}
	}
	tail := binary.LittleEndian.AppendUint32(buf[:0], sum)
	_, err := w.Write(binary.LittleEndian.AppendUint32(tail, uint32(size)))
	return err
}

// section passes on those bytes of a stream that lie in [from, to).
type section struct {
	w        io.Writer
	at       int64 // offset of the next byte
	from, to int64
}

func (s *section) Write(p []byte) (int, error) {
	n := len(p)
	begin := min(max(s.from-s.at, 0), int64(n))
	end := min(max(s.to-s.at, 0), int64(n))
	s.at += int64(n)
	if begin < end {
		if _, err := s.w.Write(p[begin:end]); err != nil {
			return 0, err
		}
	}
	return n, nil
}
