package snapshot

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

const bufferSize = 256 << 10

// Writer writes a snapshot. Beside the record that it is given it keeps one buffer.
type Writer struct {
	out     *bufio.Writer
	marker  [markerSize]byte
	records int64
	bytes   int64
	room    []byte
}

// NewWriter begins a snapshot: saved is its time, and records about how many it will
// have, which is what is known of it should its end get lost.
func NewWriter(w io.Writer, saved time.Time, records int64) (*Writer, error) {
	s := &Writer{out: bufio.NewWriterSize(w, bufferSize)}
	_, _ = rand.Read(s.marker[:]) // it never fails
	h := head{version: Version, marker: s.marker, saved: saved, records: records}
	s.room = h.append(h.append(nil))
	return s, s.write(s.room)
}

// Write writes a record: a head of 1 to MostHead bytes, and a body in pieces.
func (s *Writer) Write(head []byte, body [][]byte) error {
	if len(head) == 0 || len(head) > MostHead {
		return fmt.Errorf("snapshot: the head of a record has %d bytes: 1 to %d are possible", len(head), MostHead)
	}
	f := frame{number: s.records, head: int64(len(head))}
	for _, b := range body {
		f.body += int64(len(b))
	}
	s.room = f.append(s.room[:0], s.marker)
	if err := s.write(s.room); err != nil {
		return err
	}
	sum := crc32.Update(0, castagnoli, head)
	if err := s.write(head); err != nil {
		return err
	}
	for _, b := range body {
		sum = crc32.Update(sum, castagnoli, b)
		if err := s.write(b); err != nil {
			return err
		}
	}
	s.records++
	s.room = binary.LittleEndian.AppendUint32(s.room[:0], sum)
	return s.write(s.room)
}

// Close ends the snapshot. It does not close what is written to.
func (s *Writer) Close() error {
	end := frame{number: s.records}
	if err := s.write(end.append(s.room[:0], s.marker)); err != nil {
		return err
	}
	return s.out.Flush()
}

// Records returns how many were written.
func (s *Writer) Records() int64 { return s.records }

// Bytes returns how many were written.
func (s *Writer) Bytes() int64 { return s.bytes }

func (s *Writer) write(b []byte) error {
	n, err := s.out.Write(b)
	s.bytes += int64(n)
	return err
}
