package testorigin

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"cacheproxy/bench/trace"
)

// Fields of a request that tell the origin what a target stands for that is not
// of the form of trace.Object. A proxy passes them on, as it does with all
// fields that it does not know.
const (
	SizeField = "Bench-Size" // bytes of the representation
	HostField = "Bench-Host" // the host that the client asked, whatever the proxy makes of Host
	// PrivateField, with any value, makes the answer no-store.
	PrivateField = "Bench-Private"
)

// Queries of a trace.Object target that make its answer vary.
const (
	VaryEncoding = "vary=encoding"
	VaryLanguage = "vary=language"
	VaryBoth     = "vary=encoding,language"
)

// maxSize bounds a representation, in bytes.
const maxSize = 1 << 50

// Identify returns the content of a representation, which is also its identity.
// Target is path and query as sent, host is that of HostField ("" without one),
// language that of the answer ("" where it does not vary by it).
func Identify(host, target, language string) Content {
	h := uint64(0xcbf29ce484222325)
	for _, s := range [...]string{host, target, language} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 0x100000001b3
		}
		h = (h ^ 0xff) * 0x100000001b3 // no byte of UTF-8: keeps the parts apart
	}
	return Content(mix(h))
}

// mix spreads each bit over all others.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// ETag is the entity tag of a representation of this many bytes before any
// encoding, and of its gzip form.
func ETag(c Content, size int64, gzip bool) string {
	b := make([]byte, 0, 64)
	b = append(b, '"')
	b = strconv.AppendUint(b, uint64(c), 16)
	b = append(b, '-')
	b = strconv.AppendInt(b, size, 10)
	if gzip {
		b = append(b, "-gzip"...)
	}
	return string(append(b, '"'))
}

// Language is the one that a representation is made in for a request with this
// Accept-Language: the primary tag of the first range, in lower case; "en"
// where the request has none.
func Language(accept string) string {
	first, _, _ := strings.Cut(accept, ",")
	first, _, _ = strings.Cut(first, ";")
	first, _, _ = strings.Cut(strings.TrimSpace(first), "-")
	if first == "" || first == "*" || len(first) > 8 {
		return "en"
	}
	for i := range len(first) {
		if c := first[i] | 0x20; c < 'a' || c > 'z' {
			return "en"
		}
	}
	return strings.ToLower(first)
}

// AcceptsGzip reports whether an Accept-Encoding allows gzip by name.
func AcceptsGzip(accept string) bool {
	for member := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(member, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, ok := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !ok || strings.Trim(q, "0.") != ""
	}
	return false
}

// object is the representation that a request asks for.
type object struct {
	content  Content
	url      uint64 // hash of the target without what it varies by
	size     int64  // before encoding
	gzip     bool
	vary     string // value of Vary, "" for none
	language string
}

// find says what a request asks for; false when there is no such object.
func find(r *http.Request) (object, bool) {
	host, target := r.Header.Get(HostField), r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = r.URL.RequestURI() // a whole URL was sent
	}
	path, query, _ := strings.Cut(target, "?") // as sent: %2F and the like are another target
	_, size, ok := trace.ParseObject(path)
	if !ok {
		size, err := strconv.ParseInt(r.Header.Get(SizeField), 10, 64)
		if err != nil || size < 0 || size > maxSize {
			return object{}, false
		}
		c := Identify(host, target, "")
		return object{content: c, url: uint64(c), size: size}, true
	}
	if size > maxSize {
		return object{}, false
	}
	o := object{size: size, url: uint64(Identify(host, target, ""))}
	if query == VaryEncoding || query == VaryBoth {
		o.vary = "Accept-Encoding"
		o.gzip = AcceptsGzip(strings.Join(r.Header["Accept-Encoding"], ","))
	}
	if query == VaryLanguage || query == VaryBoth {
		o.language = Language(r.Header.Get("Accept-Language"))
		if o.vary != "" {
			o.vary += ", "
		}
		o.vary += "Accept-Language"
	}
	o.content = Identify(host, target, o.language)
	return o, true
}

// length is that of the body, in bytes, after encoding.
func (o object) length() int64 {
	if o.gzip {
		return GzipSize(o.size)
	}
	return o.size
}

func (o object) etag() string { return ETag(o.content, o.size, o.gzip) }

// modified is a whole second of the year 2024, which the object keeps.
func (o object) modified() time.Time {
	return time.Date(2024, 1, 1, 0, 0, int(o.url%(365*24*60*60)), 0, time.UTC)
}
