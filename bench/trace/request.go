package trace

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxSize is the largest size in bytes that is believed (1 TiB). A line with a
// larger one is skipped, since it would outweigh all others together.
const MaxSize = 1 << 40

// Request is one line of a trace or log.
type Request struct {
	Method  string    // "GET" in traces of ids
	Host    string    // as logged; "" when the source has none
	Target  string    // path and query; Object(id, size) in traces of ids
	Status  int       // 100 to 999, 0 when unknown
	Size    int64     // bytes of the response body as logged, 0 to MaxSize
	Time    time.Time // zero when unknown
	Private bool      // the log says that no shared cache may keep the answer (logs of cacheproxy do)
}

const objectPath = "/o/"

// Object is the target that stands for an object of a trace: /o/ID-SIZE.
func Object(id uint64, size int64) string {
	b := make([]byte, 0, 40)
	b = append(b, objectPath...)
	b = strconv.AppendUint(b, id, 10)
	b = append(b, '-')
	return string(strconv.AppendInt(b, size, 10))
}

// ParseObject reads what [Object] makes; ok is false for any other target.
func ParseObject(target string) (id uint64, size int64, ok bool) {
	rest, found := strings.CutPrefix(target, objectPath)
	if !found {
		return 0, 0, false
	}
	first, second, found := strings.Cut(rest, "-")
	if !found {
		return 0, 0, false
	}
	id, err := parseDigits(first)
	if err != nil {
		return 0, 0, false
	}
	size, err = parseSize(second)
	// Only one spelling: 07 would be another path for the object 7.
	return id, size, err == nil && Object(id, size) == target
}

// parseIDSize reads a line of a trace.
func parseIDSize(line string) (Request, error) {
	first, second, found := strings.Cut(line, " ")
	if !found {
		return Request{}, errors.New("no space between id and size")
	}
	id, err := parseDigits(first)
	if err != nil {
		return Request{}, fmt.Errorf("id %w", err)
	}
	size, err := parseSize(second)
	if err != nil {
		return Request{}, err
	}
	return Request{Method: "GET", Target: Object(id, size), Size: size}, nil
}

// parseDigits reads a number that has nothing but digits.
func parseDigits(s string) (uint64, error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, fmt.Errorf("%s is not a number", quote(s))
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is not a number below 2^64", quote(s))
	}
	return n, nil
}

func parseSize(s string) (int64, error) {
	n, err := parseDigits(s)
	if err != nil {
		return 0, fmt.Errorf("size %w", err)
	}
	if n > MaxSize {
		return 0, fmt.Errorf("size %s is more than 1TiB", quote(s))
	}
	return int64(n), nil
}

func parseStatus(s string) (int, error) {
	n, err := parseDigits(s)
	if err != nil || n < 100 || n > 999 {
		return 0, fmt.Errorf("status %s is not between 100 and 999", quote(s))
	}
	return int(n), nil
}

// setRequestLine sets method, target and perhaps host from "GET /path HTTP/1.1".
func (r *Request) setRequestLine(line string) error {
	method, rest, found := strings.Cut(line, " ")
	if !found {
		return fmt.Errorf("%s is not a request line", quote(line))
	}
	target, protocol, found := strings.Cut(rest, " ")
	if found && !strings.HasPrefix(protocol, "HTTP/") {
		return fmt.Errorf("%s is not a request line: no HTTP/ behind the target", quote(line))
	}
	if err := r.setMethod(method); err != nil {
		return err
	}
	return r.setTarget(target)
}

func (r *Request) setMethod(method string) error {
	for i := range len(method) {
		if c := method[i]; (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return fmt.Errorf("%s is not a method", quote(method))
		}
	}
	if method == "" {
		return errors.New("the method is missing")
	}
	r.Method = method
	return nil
}

// setTarget sets the target, and the host when the target is a whole URL.
func (r *Request) setTarget(target string) error {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f {
			return fmt.Errorf("target %s has a space or control character", quote(target))
		}
	}
	for _, scheme := range []string{"http://", "https://"} {
		if rest, found := strings.CutPrefix(target, scheme); found {
			i := strings.IndexAny(rest, "/?")
			if i < 0 {
				i = len(rest)
			}
			r.Host, target = rest[:i], rest[i:]
			if !strings.HasPrefix(target, "/") {
				target = "/" + target
			}
		}
	}
	if !strings.HasPrefix(target, "/") {
		return fmt.Errorf("target %s does not begin with a slash", quote(target))
	}
	r.Target = target
	return nil
}

// quote is the beginning of a text, safe to print.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "..."
	}
	return strconv.QuoteToASCII(s)
}
