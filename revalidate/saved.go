package revalidate

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
)

// saved is the head of a record in a snapshot: an entry without its content.
type saved struct {
	key    string
	since  time.Duration // from the receipt to the saving
	took   time.Duration // from the request to the receipt
	used   int64         // Unix time of the last use
	stored policy.Stored
	fields string
}

// all writes or reads each part in its order. One list serves both ways, so that they
// cannot differ.
func (s *saved) all(c *coder) {
	st := &s.stored
	c.text(&s.key)
	c.duration(&s.since)
	c.duration(&s.took)
	c.number(&s.used)
	c.text(&st.Method)
	c.small(&st.Status)
	c.time(&st.Date)
	c.duration(&st.InitialAge)
	c.duration(&st.Lifetime)
	source := int(st.Source)
	c.small(&source)
	st.Source = policy.Source(source)
	c.flag(&st.NoCache)
	c.flag(&st.MustRevalidate)
	c.flag(&st.Immutable)
	c.duration(&st.StaleWhileRevalidate)
	c.duration(&st.StaleIfError)
	c.text(&st.ETag)
	c.time(&st.LastModified)
	c.texts(&st.Vary)
	c.texts(&st.VaryValues)
	c.text(&st.ContentLanguage)
	c.text(&st.Tags)
	c.partial(&st.Partial)
	c.text(&s.fields)
}

// appendSaved appends the head of an entry's record.
func appendSaved(b []byte, key string, e *Entry, now time.Time) []byte {
	s := saved{
		key: key, since: now.Sub(e.Received), took: e.Received.Sub(e.Requested), used: e.used(),
		stored: *e.Stored, fields: string(e.Fields),
	}
	c := coder{out: b}
	s.all(&c)
	return c.out
}

// parseSaved reads the head of a record, with a body of so many bytes, that was saved
// so long before now. It returns false for what this program would not store.
func parseSaved(head string, size int64, now time.Time, down time.Duration) (key string, e *Entry, ok bool) {
	var s saved
	c := coder{in: head, reads: true}
	s.all(&c)
	if c.bad || c.in != "" || !s.plausible(size) {
		return "", nil, false
	}
	h, ok := Block(s.fields).checked()
	if !ok {
		return "", nil, false
	}
	st := &s.stored
	// What was received while it was saved is younger than the snapshot.
	st.Received = now.Add(-max(0, down+s.since))
	st.Requested = st.Received.Add(-s.took)
	policy.RemoveHopByHop(h)
	delete(h, "Age") // it is a number, see policy.Storable
	return s.key, &Entry{Stored: st, Fields: entryFields(st, h), touched: min(s.used, now.Unix())}, true
}

// longest is more than any duration of a stored response, and so little that sums of
// them do not overflow.
const longest = 70 * 366 * 24 * time.Hour

// plausible reports whether the facts are such as an admission comes to, as far as what
// is done with them rests on it.
func (s *saved) plausible(size int64) bool {
	st := &s.stored
	for _, d := range []time.Duration{s.took, st.InitialAge, st.Lifetime, st.StaleWhileRevalidate, st.StaleIfError} {
		if d < 0 || d > longest {
			return false
		}
	}
	for _, text := range slices.Concat(st.VaryValues, []string{st.ETag, st.ContentLanguage}) {
		if !httpguts.ValidHeaderFieldValue(strings.TrimPrefix(text, "\x00")) { // see policy.VaryValues
			return false
		}
	}
	return s.since > -longest && s.since < longest && isKey(s.key) &&
		(st.Method == http.MethodGet || st.Method == http.MethodHead && size == 0 && st.Partial == nil) &&
		st.Status >= 200 && st.Status <= 999 && st.Status != http.StatusNotModified &&
		st.Source <= policy.SourcePurge &&
		(st.Status != http.StatusNoContent || size == 0) &&
		len(st.Tags) <= policy.MostTagBytes && strings.Count(st.Tags, "\n") < policy.MostTags &&
		len(st.Vary) == len(st.VaryValues) && slices.IsSorted(st.Vary) && !slices.ContainsFunc(st.Vary, isNoName) &&
		(st.Partial != nil) == (st.Status == http.StatusPartialContent) && (st.Partial == nil || holds(st.Partial, size))
}

// isKey reports whether a key may be one of [policy.Key].
func isKey(key string) bool {
	rest, is := strings.CutPrefix(key, "http://")
	if !is {
		rest, is = strings.CutPrefix(key, "https://")
	}
	return is && rest != "" && strings.IndexFunc(rest, func(c rune) bool { return c <= ' ' || c == 0x7f }) < 0
}

func isNoName(name string) bool {
	return !httpguts.ValidHeaderFieldName(name) || http.CanonicalHeaderKey(name) != name
}

// holds reports whether the parts of a representation are in order and make up a body of
// so many bytes.
func holds(p *policy.Partial, size int64) bool {
	from := int64(0)
	for _, b := range p.Held {
		if b.First < from || b.Last < b.First || b.Last >= math.MaxInt64-1 || b.Len() > size {
			return false
		}
		from = b.Last + 2 // what touches would be one part
		size -= b.Len()
	}
	return len(p.Held) > 0 && size == 0 && p.Length >= -1 && (p.Length < 0 || from-2 < p.Length)
}

// checked returns the fields of a block that was not made here; false if any line is
// not one that NewBlock writes.
func (b Block) checked() (http.Header, bool) {
	h := http.Header{}
	for rest := string(b); rest != ""; {
		line, after, ended := strings.Cut(rest, "\r\n")
		name, value, found := strings.Cut(line, ": ")
		if !ended || !found || isNoName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, false
		}
		h[name] = append(h[name], value)
		rest = after
	}
	return h, true
}
