package snapshot

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"time"
)

// A FormatError says why what is read is no snapshot of ours.
type FormatError struct{ text string }

func (e *FormatError) Error() string { return "snapshot: " + e.text }

// Reader reads a snapshot, whatever state it is in.
type Reader struct {
	in   *bufio.Reader
	head head
	sum  hash.Hash32
	room bytes.Buffer

	next      int64 // number of the record that is expected
	left      int64 // bytes of the body that is being read
	open      bool  // a record was begun, and not judged yet
	lost      int64
	bytes     int64
	truncated bool
}

// NewReader reads the head of a snapshot. The error is a *FormatError if it is none,
// or of another version.
func NewReader(r io.Reader) (*Reader, error) {
	s := &Reader{in: bufio.NewReaderSize(r, bufferSize), sum: crc32.New(castagnoli)}
	b, err := s.in.Peek(2 * headSize)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(b) < 2*headSize || !s.head.parse(b) && !s.head.parse(b[headSize:]) {
		return nil, &FormatError{"this is no snapshot of cacheproxy, or its first bytes are broken"}
	}
	if v := s.head.version; v != Version {
		return nil, &FormatError{fmt.Sprintf("this snapshot has version %d of the format, and only %d can be read: load it with the release that wrote it", v, Version)}
	}
	s.discard(2 * headSize)
	return s, nil
}

// Time returns when the snapshot was written, by the clock on the wall of that machine.
func (s *Reader) Time() time.Time { return s.head.saved }

// Next goes to the next record, whatever was read of the one before. It returns the
// head, which is valid until the following call and not checked yet, and the length of
// the body, which the caller reads from the Reader. The error is io.EOF after the last
// record that can be found, or that of reading.
func (s *Reader) Next() (head []byte, size int64, err error) {
	s.Intact()
	f, err := s.findFrame()
	switch {
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		s.cut()
		return nil, 0, io.EOF
	case err != nil:
		return nil, 0, err
	}
	s.lost += f.number - s.next
	s.next = f.number
	if f.head == 0 {
		return nil, 0, io.EOF
	}
	s.open, s.left = true, f.body
	s.sum.Reset()
	s.room.Reset()
	// The room grows with what arrives, and not by what is announced.
	n, err := io.CopyN(&s.room, s.in, f.head)
	s.bytes += n
	if err != nil {
		s.left = 0
		return s.broken(err)
	}
	_, _ = s.sum.Write(s.room.Bytes())
	return s.room.Bytes(), f.body, nil
}

func (s *Reader) broken(err error) ([]byte, int64, error) {
	if err == io.EOF {
		s.cut()
		return nil, 0, io.EOF
	}
	return nil, 0, err
}

// cut notes that the end is missing.
func (s *Reader) cut() {
	if s.truncated {
		return
	}
	missing := s.head.records - s.next
	if s.open { // at least the record that is cut off
		missing = max(missing, 1)
	}
	s.open, s.truncated = false, true
	s.lost += max(0, missing)
}

// Read reads the body of the record.
func (s *Reader) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.in.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	s.bytes += int64(n)
	_, _ = s.sum.Write(p[:n])
	return n, err
}

// Intact reports whether the record that was begun is what was written. It reads what
// is left of it.
func (s *Reader) Intact() bool {
	if !s.open {
		return false
	}
	if _, err := io.Copy(io.Discard, s); err != nil || s.left > 0 {
		return false // the next look for a record meets the same
	}
	sum, err := s.in.Peek(sumSize)
	if err != nil {
		return false
	}
	s.open = false
	s.next++
	whole := binary.LittleEndian.Uint32(sum) == s.sum.Sum32()
	s.discard(sumSize)
	if !whole {
		s.lost++
	}
	return whole
}

// findFrame finds the next intact frame.
func (s *Reader) findFrame() (f frame, err error) {
	for {
		b, err := s.in.Peek(frameSize)
		if err != nil {
			return f, err
		}
		if bytes.HasPrefix(b, s.head.marker[:]) && f.parse(b) && f.number >= s.next {
			s.discard(frameSize)
			return f, nil
		}
		s.discard(1)
		b, _ = s.in.Peek(s.in.Buffered())
		at := bytes.Index(b, s.head.marker[:])
		if at < 0 { // it may begin in what is there
			at = max(0, len(b)-markerSize+1)
		}
		s.discard(at)
	}
}

func (s *Reader) discard(n int) {
	n, _ = s.in.Discard(n) // it has been looked at
	s.bytes += int64(n)
}

// Lost returns how many records could not be read so far.
func (s *Reader) Lost() int64 { return s.lost }

// Truncated reports whether the snapshot ends before its end.
func (s *Reader) Truncated() bool { return s.truncated }

// Bytes returns how many were read.
func (s *Reader) Bytes() int64 { return s.bytes }
