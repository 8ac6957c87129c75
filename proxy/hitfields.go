package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// ownFields writes the fields that this cache adds or replaces.
func (r *Reply) ownFields(age time.Duration) {
	var ends [5]int
	t := strconv.AppendInt(r.text[:0], int64(age/time.Second), 10)
	ends[0] = len(t)
	t = r.o.appendCacheStatus(t, r.c)
	ends[1] = len(t)
	t = strconv.AppendInt(t, r.Length, 10)
	ends[2] = len(t)
	t = append(append(t, "1.1 "...), r.c.Token...)
	ends[3] = len(t)
	t = appendRandomID(t)
	ends[4] = len(t)
	r.text = t
	s := unsafe.String(unsafe.SliceData(t), len(t))
	r.o.RequestID = s[ends[3]:ends[4]]
	r.own = append(r.fields[:0], Field{"Age", s[:ends[0]]}, Field{"Cache-Status", s[ends[0]:ends[1]]})
	if r.Status != http.StatusNotModified {
		r.own = append(r.own, Field{"Content-Length", s[ends[1]:ends[2]]})
	}
	if r.c.ServerTiming {
		r.own = append(r.own, Field{"Server-Timing", r.o.serverTiming(time.Time{})})
	}
	r.own = append(r.own, Field{"Via", s[ends[2]:ends[3]]})
	if r.c.XCacheStatus {
		r.own = append(r.own, Field{"X-Cache-Status", r.o.CacheResult()})
	}
	r.own = append(r.own, Field{"X-Request-Id", r.o.RequestID})
}

// Each calls fn with every field of the answer, sorted by name.
func (r *Reply) Each(fn func(name, value string)) {
	own := r.own
	block := string(r.entry.Fields)
	for block != "" {
		end := strings.IndexByte(block, '\r')
		line := block[:end]
		block = block[end+len("\r\n"):]
		colon := strings.IndexByte(line, ':')
		name, value := line[:colon], line[colon+len(": "):]
		for len(own) > 0 && own[0].Name < name {
			fn(own[0].Name, own[0].Value)
			own = own[1:]
		}
		if !r.replaced(name) {
			fn(name, value)
		}
	}
	for _, f := range own {
		fn(f.Name, f.Value)
	}
}

// before reports whether a name sorts before that of a field line. Most often the
// first letter tells.
func before(name, line string) bool {
	for i := range len(name) {
		switch c := line[i]; {
		case c == ':': // the line's name ends here
			return false
		case c != name[i]:
			return name[i] < c
		}
	}
	return line[len(name)] != ':'
}

// replaced reports whether a stored field is not part of the answer. All of them
// begin with C or X.
func (r *Reply) replaced(name string) bool {
	switch name {
	case "Content-Length", "X-Request-Id":
		return true
	case "X-Cache-Status":
		return r.c.XCacheStatus
	case "Content-Type", "Content-Encoding", "Content-Language", "Content-Range": // RFC 9110, 15.4.5
		return r.Status == http.StatusNotModified
	}
	return false
}

// AppendHead appends the head of the answer as HTTP/1.1 sends it. With closing
// set the connection ends after it.
func (r *Reply) AppendHead(dst []byte, closing bool) []byte {
	dst = AppendStatusLine(dst, r.Status)
	block, own := string(r.entry.Fields), r.own
	from, at := 0, 0 // what is between them goes out in one piece
	for at < len(block) {
		next := at + strings.IndexByte(block[at:], '\r') + len("\r\n")
		line := block[at:next]
		if len(own) > 0 && before(own[0].Name, line) {
			dst = append(dst, block[from:at]...)
			from = at
			for len(own) > 0 && before(own[0].Name, line) {
				dst = AppendField(dst, own[0].Name, own[0].Value)
				own = own[1:]
			}
		}
		if c := line[0]; (c == 'C' || c == 'X') && r.replaced(line[:strings.IndexByte(line, ':')]) {
			dst = append(dst, block[from:at]...)
			from = next
		}
		at = next
	}
	dst = append(dst, block[from:]...)
	for _, f := range own {
		dst = AppendField(dst, f.Name, f.Value)
	}
	if closing {
		dst = append(dst, "Connection: close\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// AppendStatusLine appends the first line of a response (RFC 9112, 4).
func AppendStatusLine(dst []byte, status int) []byte {
	if status == http.StatusOK {
		return append(dst, "HTTP/1.1 200 OK\r\n"...)
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	if text := http.StatusText(status); text != "" {
		dst = append(dst, text...)
	} else {
		dst = append(dst, "status code "...)
		dst = strconv.AppendInt(dst, int64(status), 10)
	}
	return append(dst, "\r\n"...)
}

// AppendField appends a line of a header (RFC 9112, 5).
func AppendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}
