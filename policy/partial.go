package policy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Partial is what is held of a representation (RFC 9111, 3.3).
type Partial struct {
	Held   []ByteRange // sorted, apart from each other; never empty
	Length int64       // of the whole representation, -1 when not known

	suffix int64 // the request was for so many bytes from the end; 0 = it was not
}

// parseContentRange parses the Content-Range of a 206 (RFC 9110, 14.4).
func parseContentRange(lines []string) (b ByteRange, length int64, ok bool) {
	if len(lines) != 1 {
		return b, 0, false
	}
	rest, found := strings.CutPrefix(trim(lines[0]), "bytes ")
	span, total, slash := strings.Cut(trim(rest), "/")
	a, z, dash := strings.Cut(span, "-")
	if !found || !slash || !dash {
		return b, 0, false
	}
	b = ByteRange{-1, -1}
	length = -1
	if !position(trim(a), &b.First) || !position(trim(z), &b.Last) || total != "*" && !position(trim(total), &length) {
		return b, 0, false
	}
	const overflow = 1<<63 - 1
	ok = b.First >= 0 && b.Last >= b.First && b.Last < overflow && length < overflow &&
		(total == "*" || length > b.Last)
	return b, length, ok
}

// newPartial reads which part a 206 holds.
func newPartial(rq *Request, f Fields) (*Partial, bool) {
	b, length, ok := parseContentRange(values(f, "Content-Range"))
	if !ok || hasParts(f) {
		return nil, false
	}
	p := &Partial{Held: []ByteRange{b}, Length: length}
	if specs, ok := parseRange(rq.Range); ok && len(specs) == 1 && specs[0].first < 0 {
		p.suffix = specs[0].last
	}
	return p, true
}

// hasParts reports whether the content is multipart/byteranges.
func hasParts(f Fields) bool {
	kind, _, _ := strings.Cut(first(values(f, "Content-Type")), ";")
	return strings.EqualFold(trim(kind), "multipart/byteranges")
}

// Received returns the part as it really arrived, given the number of bytes
// of a complete message. A number that Content-Range contradicts makes it
// unusable, but for one case: when the last n bytes were asked for and n bytes
// came, they are the last ones, from where Content-Range says they start, and
// it is only its end that is wrong.
func (p *Partial) Received(n int64) (*Partial, bool) {
	b := p.Held[0]
	if n == b.Len() {
		return p, true
	}
	if n > b.Len() || n != p.suffix || b.Last != p.Length-1 {
		return nil, false
	}
	return &Partial{Held: []ByteRange{{b.First, b.First + n - 1}}, Length: b.First + n}, true
}

// Whole reports whether everything is held.
func (p *Partial) Whole() bool {
	return len(p.Held) == 1 && p.Held[0].First == 0 && p.Held[0].Last == p.Length-1
}

// selectParts answers a request from what is held.
func (p *Partial) selectParts(specs []rangeSpec, ranged bool) (Selection, []ByteRange) {
	if !ranged {
		return NotHeld, nil
	}
	length := p.Length
	if length < 0 {
		// Without the length only ranges with both ends can be judged.
		for _, s := range specs {
			if s.first < 0 || s.last < 0 {
				return NotHeld, nil
			}
		}
		length = 1<<63 - 1
	}
	parts := resolve(specs, length)
	if len(parts) == 0 {
		if p.Length < 0 {
			return NotHeld, nil
		}
		return Unsatisfiable, nil
	}
	for _, part := range parts {
		if !p.holds(part) {
			return NotHeld, nil
		}
	}
	return Parts, parts
}

func (p *Partial) holds(b ByteRange) bool {
	return slices.ContainsFunc(p.Held, func(h ByteRange) bool { return h.First <= b.First && b.Last <= h.Last })
}

// missing returns the one gap that, once filled, answers the request; nil when
// there is more than one gap or no gain in asking for less.
func (s *Stored) missing(rq *Request) *ByteRange {
	p := s.Partial
	want := ByteRange{0, max(-1, p.Length-1)}
	if specs, ok := s.ranges(rq); ok {
		if len(specs) != 1 || p.Length < 0 {
			return nil
		}
		parts := resolve(specs, p.Length)
		if len(parts) != 1 {
			return nil
		}
		want = parts[0]
	}
	for _, h := range p.Held {
		switch {
		case want.Last >= 0 && h.First > want.Last || h.Last < want.First: // elsewhere
		case h.First <= want.First: // the beginning is held
			want.First = h.Last + 1
		case want.Last >= 0 && h.Last >= want.Last: // the end is held
			want.Last = h.First - 1
		default: // held in the middle: two gaps
			return nil
		}
	}
	if want.Last >= 0 && want.Len() <= 0 || want == (ByteRange{0, p.Length - 1}) {
		return nil
	}
	return &want
}

// Join returns what is held after another part of the same representation
// arrived. The caller has checked that both have the same strong validator
// (RFC 9111, 3.4).
func (p *Partial) Join(o *Partial) (*Partial, bool) {
	length := p.Length
	if length < 0 {
		length = o.Length
	}
	if o.Length >= 0 && o.Length != length {
		return nil, false
	}
	all := slices.Concat(p.Held, o.Held)
	slices.SortFunc(all, func(a, b ByteRange) int { return int(min(1, max(-1, a.First-b.First))) })
	out := all[:1]
	for _, b := range all[1:] {
		if top := &out[len(out)-1]; b.First <= top.Last+1 {
			top.Last = max(top.Last, b.Last)
		} else {
			out = append(out, b)
		}
	}
	if length >= 0 && out[len(out)-1].Last >= length {
		return nil, false
	}
	return &Partial{Held: out, Length: length}, true
}

// Combinable reports whether two responses hold parts of the very same
// representation: equal strong validators (RFC 9111, 3.4; RFC 9110, 8.8.1).
func Combinable(a, b *Stored) bool {
	if a.ETag != "" || b.ETag != "" {
		return strongEqual(a.ETag, b.ETag)
	}
	return !a.LastModified.IsZero() && a.LastModified.Equal(b.LastModified) &&
		strongDate(a) && strongDate(b)
}

// strongDate: a Last-Modified is strong when it is at least a second before
// the response's Date (RFC 9110, 8.8.2.2).
func strongDate(s *Stored) bool { return s.Date.Sub(s.LastModified).Seconds() >= 1 }

// contentLength parses a Content-Length field, -1 without a valid one.
func contentLength(f Fields) int64 {
	if n, err := strconv.ParseInt(first(values(f, "Content-Length")), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// IfRangeFor returns the value of an If-Range field that makes a range request
// safe against a change of the representation, or "" without a strong validator.
func (s *Stored) IfRangeFor() string {
	switch {
	case s.ETag != "" && !weak(s.ETag):
		return s.ETag
	case s.ETag == "" && !s.LastModified.IsZero() && strongDate(s):
		return s.LastModified.UTC().Format(http.TimeFormat)
	}
	return ""
}
