package policy

import (
	"slices"
	"strconv"
	"strings"
)

// MaxRanges is the largest number of ranges in one request that is answered;
// a request for more gets the whole representation (RFC 9110, 14.2).
const MaxRanges = 64

// ByteRange is a part of a representation, both ends included. Last is -1 for
// a part that runs to an end which is not known.
type ByteRange struct{ First, Last int64 }

// Len returns the number of bytes.
func (b ByteRange) Len() int64 { return b.Last - b.First + 1 }

// Request returns the value of a Range field that asks for the part. A part
// that reaches the end of a representation of the given length is asked for
// without its end.
func (b ByteRange) Request(length int64) string {
	s := "bytes=" + strconv.FormatInt(b.First, 10) + "-"
	if b.Last < 0 || b.Last == length-1 {
		return s
	}
	return s + strconv.FormatInt(b.Last, 10)
}

// ContentRange returns the value of a Content-Range field (RFC 9110, 14.4);
// length is -1 when it is not known.
func (b ByteRange) ContentRange(length int64) string {
	s := "bytes " + strconv.FormatInt(b.First, 10) + "-" + strconv.FormatInt(b.Last, 10) + "/"
	if length < 0 {
		return s + "*"
	}
	return s + strconv.FormatInt(length, 10)
}

// rangeSpec is one range as the client wrote it: first-last, first-, or
// -suffix. An absent number is -1.
type rangeSpec struct{ first, last int64 }

// parseRange parses a Range field (RFC 9110, 14.1.1). ok is false for other
// units, wrong syntax and too many ranges; then the field is ignored.
func parseRange(field string) (specs []rangeSpec, ok bool) {
	unit, set, found := strings.Cut(field, "=")
	if !found || !strings.EqualFold(trim(unit), "bytes") {
		return nil, false
	}
	for part := range strings.SplitSeq(set, ",") {
		part = trim(part)
		if part == "" {
			continue
		}
		a, b, found := strings.Cut(part, "-")
		spec := rangeSpec{-1, -1}
		if !found || !position(a, &spec.first) || !position(b, &spec.last) ||
			a == "" && b == "" || a != "" && b != "" && spec.last < spec.first {
			return nil, false
		}
		if specs = append(specs, spec); len(specs) > MaxRanges {
			return nil, false
		}
	}
	return specs, len(specs) > 0
}

// position parses a number of a range; an empty one leaves the default.
func position(s string, to *int64) bool {
	if s == "" {
		return true
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil { // beyond any representation
		n = 1<<63 - 1
	}
	*to = n
	return true
}

// resolve turns what the client wrote into parts of a representation of the
// given length; those that lie outside are left out (RFC 9110, 14.1.2).
func resolve(specs []rangeSpec, length int64) []ByteRange {
	parts := make([]ByteRange, 0, len(specs))
	for _, s := range specs {
		var p ByteRange
		switch {
		case s.first < 0: // the last bytes
			p = ByteRange{max(0, length-s.last), length - 1}
			if s.last == 0 {
				continue
			}
		case s.last < 0:
			p = ByteRange{s.first, length - 1}
		default:
			p = ByteRange{s.first, min(s.last, length-1)}
		}
		if p.First < length {
			parts = append(parts, p)
		}
	}
	return coalesce(parts)
}

// coalesce joins parts that overlap; the order of the others stays as the
// client asked (RFC 9110, 15.3.7.2).
func coalesce(parts []ByteRange) []ByteRange {
	out := parts[:0:0]
next:
	for _, p := range parts {
		for i := 0; i < len(out); i++ {
			if o := out[i]; p.First <= o.Last && o.First <= p.Last {
				p = ByteRange{min(p.First, o.First), max(p.Last, o.Last)}
				out = slices.Delete(out, i, i+1)
				i = -1 // the joined part may overlap others
			}
		}
		if p.Len() <= 0 {
			continue next
		}
		out = append(out, p)
	}
	return out
}

// Selection says how a request's Range applies to a stored response.
type Selection uint8

// The selections.
const (
	Whole         Selection = iota // no Range, or one to ignore: all of it
	Parts                          // the parts asked for, all of them held
	Unsatisfiable                  // no part of the representation is asked for: 416
	NotHeld                        // not all of what is asked for is held
)

// ranges returns the ranges that a request asks for; ok is false when its Range
// is absent, invalid, or void by If-Range.
func (s *Stored) ranges(rq *Request) (specs []rangeSpec, ok bool) {
	if rq.Range == "" {
		return nil, false
	}
	specs, ok = parseRange(rq.Range)
	return specs, ok && ifRange(first(values(rq.Fields, "If-Range")), s)
}

// Select applies a request's Range and If-Range to a stored response whose
// representation has the given length (of a partial one, as far as known).
func (s *Stored) Select(rq *Request, length int64) (Selection, []ByteRange) {
	specs, ok := s.ranges(rq)
	if s.Partial != nil {
		return s.Partial.selectParts(specs, ok)
	}
	// A part of nothing cannot be expressed, and ignoring Range is always allowed.
	if !ok || s.Status != 200 || length == 0 {
		return Whole, nil
	}
	parts := resolve(specs, length)
	if len(parts) == 0 {
		return Unsatisfiable, nil
	}
	return Parts, parts
}
