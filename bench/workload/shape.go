package workload

import (
	"math/bits"
	"strconv"

	"cacheproxy/bench/testorigin"
)

// object is a popular or other object of a synthetic workload.
type object struct {
	host, target           string
	size                   int64
	byEncoding, byLanguage bool
}

// query tells the built-in origin what the object varies by.
func (o object) query() string {
	switch {
	case o.byEncoding && o.byLanguage:
		return "?" + testorigin.VaryBoth
	case o.byEncoding:
		return "?" + testorigin.VaryEncoding
	case o.byLanguage:
		return "?" + testorigin.VaryLanguage
	}
	return ""
}

// shaped makes a GET or HEAD for the object; shape, in [0, 1), chooses which.
func (g *Generator) shaped(o object, shape float64) Request {
	s := &g.spec
	r := Request{Method: "GET", Host: o.host, Target: o.target, Size: o.size}
	part := false
	switch {
	case shape < s.Head:
		r.Method = "HEAD"
	case shape < s.Head+s.Ranges:
		part = o.size > 0
	}
	language, encoding := "", ""
	if s.VaryLanguage > 0 {
		language = s.Languages.pick(g.random.Uint64())
		r.Header = append(r.Header, Field{"Accept-Language", language})
	}
	if s.VaryEncoding > 0 {
		encoding = s.Encodings.pick(g.random.Uint64())
		if part {
			encoding = "identity" // as browsers do: part of a gzip form is of no use
		}
		r.Header = append(r.Header, Field{"Accept-Encoding", encoding})
	}
	variant := ""
	if o.byLanguage {
		variant = testorigin.Language(language)
	}
	r.Object = testorigin.Identify("", o.target, variant)
	if part {
		r.Header = append(r.Header, Field{"Range", g.span(o.size)})
	}
	shape -= s.Head + s.Ranges
	if shape < 0 || shape >= s.Current+s.Expired {
		return r
	}
	content := r.Object
	if shape >= s.Current {
		content++ // what it was once
	}
	tag := testorigin.ETag(content, o.size, o.byEncoding && testorigin.AcceptsGzip(encoding))
	r.Header = append(r.Header, Field{"If-None-Match", tag})
	return r
}

// span is a range of a body of this many bytes, at least 1.
func (g *Generator) span(size int64) string {
	kind := g.random.Uint64()
	from, to := g.below(size), g.below(size)
	if from > to {
		from, to = to, from
	}
	switch kind % 4 {
	case 0:
		return "bytes=" + strconv.FormatInt(from, 10) + "-"
	case 1:
		return "bytes=-" + strconv.FormatInt(to+1, 10)
	}
	return "bytes=" + strconv.FormatInt(from, 10) + "-" + strconv.FormatInt(to, 10)
}

// below draws a number from 0 to n-1.
func (g *Generator) below(n int64) int64 {
	high, _ := bits.Mul64(g.random.Uint64(), uint64(n))
	return int64(high)
}
