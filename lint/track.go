package lint

import (
	"hash/maphash"
	"math"
	"math/bits"
	"net/http"
	"net/url"
	"strings"

	"cacheproxy/policy"
)

// From how many values on a Vary or a parameter explodes.
const (
	manyVariants = 16
	manyValues   = 32
	full         = 200 // estimates beyond it may not tell a new value any more
	fewContents  = 2   // with no more ETags than this, a parameter seems to be without effect
)

// distinct estimates how many different hashes it has met, up to about 250: bits of
// a table that are set, less those that several hashes share (linear counting).
type distinct uint64

func (d *distinct) add(hash uint64) { *d |= 1 << (hash >> 58) }

func (d distinct) estimate() int {
	set := bits.OnesCount64(uint64(d))
	if set == 64 {
		return 250
	}
	return int(math.Round(-64 * math.Log(float64(64-set)/64)))
}

// counter is how many values something of a name had.
type counter struct {
	name   string
	values distinct
}

// urlTrack is what is known of one URL.
type urlTrack struct {
	hash     uint64
	vary     [6]counter
	modified uint64 // hash of the Last-Modified
	etag     uint64 // of the ETag that came with it
	target   uint64 // of the server that sent it
}

// pathTrack is what is known of one path with its queries.
type pathTrack struct {
	hash  uint64
	query [8]counter // parameters by their name
	etags distinct
	all   int32 // responses
	known int32 // of those, with an ETag
}

// trackURL looks at what only several responses of one URL show.
func (l *Linter) trackURL(r *Response, hash uint64) {
	t := &l.urls[hash%urlSlots]
	if t.hash != hash {
		*t = urlTrack{hash: hash}
	}
	names, _ := policy.VaryNames(r.Fields)
	values := policy.VaryValues(names, r.Request)
	for i, name := range names {
		c := named(t.vary[:], name)
		if c == nil {
			break
		}
		before := c.values
		c.values.add(maphash.String(l.seed, values[i]))
		if n := c.values.estimate(); n >= manyVariants {
			l.note(r, Issue{VaryExplodes, c.name}, c.values != before || n >= full, n)
		}
	}
	l.trackETag(r, t)
}

// trackETag compares the ETag with that of another server for the same content.
func (l *Linter) trackETag(r *Response, t *urlTrack) {
	etag, modified := one(r.Fields, "Etag"), one(r.Fields, "Last-Modified")
	if etag == "" || modified == "" || r.Target == "" || one(r.Fields, "Content-Encoding") != "" {
		return
	}
	e, m, target := maphash.String(l.seed, etag), maphash.String(l.seed, modified), maphash.String(l.seed, r.Target)
	if t.modified == m && t.target != target && t.etag != e {
		l.note(r, Issue{ETagDiffers, ""}, true, 0)
	}
	t.modified, t.etag, t.target = m, e, target
}

// trackPath looks at what the queries of one path have in common.
func (l *Linter) trackPath(r *Response, hash uint64) {
	if r.Query == "" || r.Method != http.MethodGet {
		return
	}
	t := &l.paths[hash%pathSlots]
	if t.hash != hash {
		*t = pathTrack{hash: hash}
	}
	t.all++
	if etag := one(r.Fields, "Etag"); etag != "" {
		t.known++
		t.etags.add(maphash.String(l.seed, etag))
	}
	for p := range strings.SplitSeq(r.Query, "&") {
		name, value, _ := strings.Cut(p, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		c := named(t.query[:], name)
		if c == nil {
			continue
		}
		before := c.values
		c.values.add(maphash.String(l.seed, value))
		n := c.values.estimate()
		if n < manyValues {
			continue
		}
		kind := QueryExplodes
		if t.known == t.all && t.etags.estimate() <= fewContents {
			kind = QueryUnused
		}
		l.note(r, Issue{kind, c.name}, c.values != before || n >= full, n)
	}
}

// named returns the counter of a name, a free one for a new name, or nil.
func named(counters []counter, name string) *counter {
	if name = short(name, mostName); name == "" {
		return nil
	}
	for i := range counters {
		switch c := &counters[i]; c.name {
		case name:
			return c
		case "":
			c.name = strings.Clone(name)
			return c
		}
	}
	return nil
}

// one returns the value of a field that has a single line, "" otherwise.
func one(f policy.Fields, name string) string {
	if lines := f.Values(name); len(lines) == 1 {
		return lines[0]
	}
	return ""
}
