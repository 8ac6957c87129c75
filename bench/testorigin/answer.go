package testorigin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// noStore is the Cache-Control of answers that nobody may keep.
const noStore = "no-store"

// answer is what a request gets.
type answer struct {
	event        event
	object       object
	from, to     int64  // the part of the body that is sent
	length       int64  // Content-Length
	text         string // the body, where there is no object
	cacheControl string
	contentRange string
	allow        string
}

func (a *answer) hasObject() bool { return a.text == "" }

// judge says what a request gets.
func (o *Origin) judge(r *http.Request) *answer {
	a := &answer{event: event{
		method:      "other",
		status:      http.StatusOK,
		conditional: r.Header["If-None-Match"] != nil || r.Header["If-Modified-Since"] != nil,
		rng:         r.Header["Range"] != nil,
	}}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		a.event.method = r.Method
	default:
		a.allow = "GET, HEAD, POST"
		return a.refuse(r, http.StatusMethodNotAllowed)
	}
	var ok bool
	if a.object, ok = find(r); !ok {
		return a.refuse(r, http.StatusNotFound)
	}
	a.event.gzip, a.event.language = a.object.gzip, a.object.language != ""
	a.cacheControl = o.options.CacheControl
	if r.Method == http.MethodPost || r.Header.Get(PrivateField) != "" {
		a.cacheControl, a.event.noStore = noStore, true
	}
	a.to = a.object.length()
	if r.Method != http.MethodPost {
		a.condition(r)
	}
	if r.Method == http.MethodGet && a.event.status == http.StatusOK {
		a.selectRange(r)
	}
	a.length = a.to - a.from
	if r.Method != http.MethodHead {
		a.event.body = a.length
	}
	return a
}

// refuse makes the answer an error, which must not be stored.
func (a *answer) refuse(r *http.Request, status int) *answer {
	a.event.status = status
	a.text = fmt.Sprintf("%d %s\n", status, http.StatusText(status))
	a.cacheControl, a.event.noStore = noStore, true
	a.length = int64(len(a.text))
	if r.Method != http.MethodHead {
		a.event.body = a.length
	}
	return a
}

// condition makes the answer a 304 where the client has the representation
// (RFC 9110, 13.2.2).
func (a *answer) condition(r *http.Request) {
	same := false
	if tags := r.Header["If-None-Match"]; tags != nil {
		same = matches(strings.Join(tags, ","), a.object.etag())
	} else if since := r.Header.Get("If-Modified-Since"); since != "" {
		t, err := http.ParseTime(since)
		same = err == nil && !a.object.modified().After(t)
	}
	if same {
		a.event.status = http.StatusNotModified
		a.from, a.to = 0, 0
	}
}

// matches compares weakly, as If-None-Match does (RFC 9110, 13.1.2). Our tags
// have no comma.
func matches(list, etag string) bool {
	for member := range strings.SplitSeq(list, ",") {
		member = strings.TrimSpace(member)
		if member == "*" || strings.TrimPrefix(member, "W/") == etag {
			return true
		}
	}
	return false
}

// selectRange makes the answer a part of the representation where a single range
// is asked for, or a 416 (RFC 9110, 14.2).
func (a *answer) selectRange(r *http.Request) {
	value := r.Header.Get("Range")
	if value == "" || !a.rangeHolds(r.Header.Get("If-Range")) {
		return
	}
	from, to, ok := parseRange(value, a.to)
	switch {
	case !ok:
		return
	case from >= to:
		a.event.status = http.StatusRequestedRangeNotSatisfiable
		a.contentRange = fmt.Sprintf("bytes */%d", a.to)
		a.from, a.to = 0, 0
	default:
		a.event.status = http.StatusPartialContent
		a.contentRange = fmt.Sprintf("bytes %d-%d/%d", from, to-1, a.to)
		a.from, a.to = from, to
	}
}

// rangeHolds reports whether If-Range allows a part (RFC 9110, 13.1.5).
func (a *answer) rangeHolds(condition string) bool {
	if condition == "" || condition == a.object.etag() {
		return true
	}
	t, err := http.ParseTime(condition)
	return err == nil && t.Equal(a.object.modified())
}

// parseRange reads a single range of bytes of a body of this length, as [from,
// to); from >= to when it has none of them. False for what is no single range.
func parseRange(value string, length int64) (from, to int64, ok bool) {
	unit, spec, _ := strings.Cut(value, "=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") || !dash {
		return 0, 0, false
	}
	number := func(s string) (int64, bool) {
		n, err := strconv.ParseUint(s, 10, 63)
		return int64(n), err == nil
	}
	if first == "" {
		n, ok := number(last)
		return length - min(n, length), length, ok
	}
	from, ok = number(first)
	if !ok || last == "" {
		return from, length, ok
	}
	to, ok = number(last)
	if !ok || to < from {
		return 0, 0, false
	}
	return from, min(to, length-1) + 1, true
}
