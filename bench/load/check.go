package load

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/workload"
)

// promise is what the built-in origin sends for a request, and so what must come
// back through any number of caches.
type promise struct {
	method   string
	content  testorigin.Content
	size     int64 // before encoding
	language string
	etag     string // that the client asked about; "" if it did not
	gzip     bool   // allowed by the client
	part     string // Range
}

// promised says what a request must bring.
func promised(r *workload.Request) promise {
	p := promise{method: r.Method, content: r.Object, size: r.Size}
	accept := ""
	for _, f := range r.Header {
		switch f.Name {
		case "Accept-Language":
			accept = f.Value
		case "Accept-Encoding":
			p.gzip = testorigin.AcceptsGzip(f.Value)
		case "If-None-Match":
			p.etag = f.Value
		case "Range":
			p.part = f.Value
		}
	}
	_, query, _ := strings.Cut(r.Target, "?")
	if query == testorigin.VaryLanguage || query == testorigin.VaryBoth {
		p.language = testorigin.Language(accept)
	}
	return p
}

// checker compares a response with its promise as its content arrives.
type checker struct {
	promise
	offset int64 // of the next byte in the content
	length int64 // that the body must have, -1 = any
	packed *bytes.Buffer
}

// errStatus is a status that the built-in origin would not have given.
var errStatus = errors.New("a status that the origin does not give for this request")

// check looks at the head of a response. Its errors are errStatus and those
// about a head that belongs to another content.
func (p promise) check(resp *http.Response) (*checker, error) {
	c := &checker{promise: p, length: p.size}
	zipped := resp.Header.Get("Content-Encoding") == "gzip"
	if zipped && !p.gzip {
		return nil, errors.New("gzip, which the client does not accept")
	}
	if zipped {
		c.length = testorigin.GzipSize(p.size)
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		if err := c.cut(resp.Header.Get("Content-Range")); err != nil {
			return nil, err
		}
	case http.StatusNotModified:
		if !strings.Contains(p.etag, testorigin.ETag(p.content, p.size, false)) && !strings.Contains(p.etag, testorigin.ETag(p.content, p.size, true)) {
			return nil, fmt.Errorf("304, but the client has another content: If-None-Match: %.80s", p.etag)
		}
		c.length = 0
	default:
		return nil, errStatus
	}
	if got := resp.Header.Get("Content-Language"); got != p.language && resp.StatusCode != http.StatusNotModified {
		return nil, fmt.Errorf("language %q, not %q", got, p.language)
	}
	if p.method == http.MethodHead {
		if resp.ContentLength >= 0 && resp.StatusCode == http.StatusOK && resp.ContentLength != c.length {
			return nil, fmt.Errorf("Content-Length is %d, not %d", resp.ContentLength, c.length)
		}
		c.length = 0
	}
	if zipped && c.length > 0 && resp.StatusCode == http.StatusOK {
		c.packed = new(bytes.Buffer)
	}
	return c, nil
}

// cut sets what a part must hold.
func (c *checker) cut(contentRange string) error {
	if c.part == "" {
		return errStatus
	}
	var from, to, all int64
	if _, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &from, &to, &all); err != nil || all != c.length || from < 0 || to < from || to >= all {
		return fmt.Errorf("Content-Range: %.80s, but the content has %d bytes", contentRange, c.length)
	}
	if spec := strings.TrimPrefix(c.part, "bytes="); spec != fmt.Sprintf("%d-%d", from, to) && !fits(spec, from, to, all) {
		return fmt.Errorf("Content-Range: %.80s, but the client asked for %.80s", contentRange, c.part)
	}
	if c.length != c.size {
		c.offset = -1 // within the gzip form: only its length is known
	} else {
		c.offset = from
	}
	c.length = to - from + 1
	return nil
}

// fits reports whether bytes from to to of all are what a single range asks for.
func fits(spec string, from, to, all int64) bool {
	first, last, _ := strings.Cut(spec, "-")
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		return err == nil && from == max(all-n, 0) && to == all-1
	}
	begin, err := strconv.ParseInt(first, 10, 64)
	if err != nil || begin != from {
		return false
	}
	end, err := strconv.ParseInt(last, 10, 64)
	return last == "" && to == all-1 || err == nil && to == min(end, all-1)
}

// piece checks the next bytes of the body.
func (c *checker) piece(p []byte) error {
	switch {
	case c.packed != nil:
		c.packed.Write(p)
	case c.offset >= 0:
		if c.length == 0 && len(p) > 0 {
			return fmt.Errorf("content where none belongs")
		}
		if err := c.content.Check(c.offset, p); err != nil {
			return err
		}
		c.offset += int64(len(p))
	}
	return nil
}

// end checks what can be known when all of the body, n bytes, is there.
func (c *checker) end(n int64) error {
	if n != c.length {
		return fmt.Errorf("%d bytes, not %d", n, c.length)
	}
	if c.packed == nil {
		return nil
	}
	unpack, err := gzip.NewReader(c.packed)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(unpack, c.size+1))
	if err != nil {
		return err
	}
	if int64(len(text)) != c.size {
		return fmt.Errorf("%d bytes when unpacked, not %d", len(text), c.size)
	}
	return c.content.Check(0, text)
}
