//go:build linux

package siege

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/assert"
)

const host = "Host: siege.test\r\n"

// slowly sends start, and then a byte of more each period, until the other side
// ends the connection.
func (u *unit) slowly(attacker int, period time.Duration, start, more string) {
	conn := u.dial(attacker)
	if conn == nil {
		return
	}
	defer conn.Close()
	_, err := io.WriteString(conn, start)
	for n := 0; err == nil; n++ {
		if how, over := listen(conn, period); over {
			u.end(how)
			return
		}
		_, err = io.WriteString(conn, more[n%len(more):][:1])
	}
	u.end("closed")
}

// listen waits for a period. It says what came if the other side answered, or
// ended the connection.
func listen(conn net.Conn, period time.Duration) (how string, over bool) {
	_ = conn.SetReadDeadline(time.Now().Add(period))
	p := make([]byte, 64)
	n, err := conn.Read(p)
	line, _, _ := strings.Cut(string(p[:n]), "\r\n")
	switch {
	case n > 0:
		return line, true
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "", false
	}
	return "closed", true
}

// slowHead is a head that never ends, a byte every three seconds.
func slowHead(u *unit, attacker, _ int) {
	u.slowly(attacker, 3*time.Second, "GET /hot/0 HTTP/1.1\r\n"+host+"X-Slow: ", "a")
}

// longHead is a head of 60 KiB, in turn not whole, before content that does not come,
// and in a request that is nearly plain.
func longHead(u *unit, attacker, _ int) {
	long := host + "X-Long: " + strings.Repeat("a", 60<<10)
	u.slowly(attacker, 3*time.Second, []string{
		"GET /hot/0 HTTP/1.1\r\n" + long,
		"POST /take HTTP/1.1\r\n" + long + "\r\nContent-Length: 1000\r\n\r\n",
		"GET /large HTTP/1.1\r\n" + long + "\r\nRange: bytes=0-\r\n\r\n",
	}[attacker%3], "a")
	u.rest(time.Second)
}

// slowContent is content of which a byte comes each second, with its length or in chunks.
func slowContent(u *unit, attacker, _ int) {
	if attacker%2 == 0 {
		u.slowly(attacker, time.Second, fmt.Sprintf("POST /take HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n", host, takeSize), "a")
		return
	}
	u.slowly(attacker, time.Second, "POST /take HTTP/1.1\r\n"+host+"Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n")
}

// slowRead asks for what is stored and large, and takes some bytes of it every two seconds.
func slowRead(u *unit, attacker, _ int) {
	conn := u.dial(attacker)
	if conn == nil {
		return
	}
	defer conn.Close()
	_ = conn.(*closing).Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	if _, err := io.WriteString(conn, "GET /large HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		return
	}
	for p := make([]byte, 512); ; u.rest(2 * time.Second) {
		n, err := conn.Read(p)
		u.bytes.Add(int64(n))
		if err != nil {
			u.end("closed")
			return
		}
	}
}

// endlessHead sends fields as fast as they are taken, and hears what it is told.
func endlessHead(u *unit, attacker, _ int) {
	conn := u.dial(attacker)
	if conn == nil {
		return
	}
	defer conn.Close()
	field := "X-Endless: " + strings.Repeat("a", 1000) + "\r\n"
	_, err := io.WriteString(conn, "GET /hot/0 HTTP/1.1\r\n"+host)
	for n := 0; err == nil && n < 64<<10; n++ {
		_, err = io.WriteString(conn, field)
	}
	if err == nil {
		u.end("64 MiB of fields were taken")
	}
	if how, over := listen(conn, time.Second); over {
		u.end(how)
	}
	u.rest(100 * time.Millisecond)
}

// fetch asks for content, and holds it to what it must be. What is refused, or cut
// off, is noted as such. It pauses between reads of so many bytes.
func (u *unit) fetch(path string, c content, pause time.Duration, bytes int64, fields ...string) {
	r, err := http.NewRequestWithContext(u.ctx, http.MethodGet, "http://"+u.addr+path, nil)
	if !assert.NoError(u, err) {
		return
	}
	r.Host = "siege.test"
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	resp, err := u.http.Do(r)
	if err != nil {
		u.end("closed")
		u.rest(100 * time.Millisecond)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		u.end(resp.Status)
		return
	}
	to := c.reader()
	for err == nil {
		_, err = io.CopyN(to, resp.Body, bytes)
		if pause > 0 {
			u.rest(pause)
		}
	}
	u.bytes.Add(to.got)
	switch {
	case errors.Is(err, io.EOF):
		assert.NoError(u, to.whole())
		u.end("200 whole")
	case u.ctx.Err() != nil || isNet(err):
		u.end("200 cut off")
	default:
		assert.NoError(u, err)
	}
}

// isNet says whether a body could not be read, rather than being a wrong one.
func isNet(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.ErrUnexpectedEOF)
}

// bigBody reads a body of 1 GiB: the first two at full speed, others some of it.
func bigBody(u *unit, attacker, _ int) {
	pause := 500 * time.Millisecond
	if attacker < 2 {
		pause = 0
	}
	u.fetch(fmt.Sprintf("/gib/%d", attacker), big(attacker), pause, 128<<10)
}

// next hands out numbers to all attackers of a unit.
type next struct{ n atomic.Int64 }

func (n *next) below(most int) int { return int(n.n.Add(1)-1) % most }

// distinct asks for one URL after the other.
func distinct() func(*unit, int, int) {
	var next next
	return func(u *unit, _, _ int) {
		n := next.below(eachKeys)
		u.fetch(fmt.Sprintf("/each/%d", n), each(n), 0, each(n).size)
	}
}

// varied asks for one variant of a URL after the other.
func varied() func(*unit, int, int) {
	var next next
	return func(u *unit, _, _ int) {
		name := fmt.Sprintf("browser/%d", next.below(variants))
		u.fetch("/variant", variant(name), 0, variant(name).size, "User-Agent", name)
		u.rest(10 * time.Millisecond)
	}
}

// manyRanges asks for a thousand ranges at once.
func manyRanges() func(*unit, int, int) {
	var list strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&list, ",%d-%d", n*1000, n*1000+9)
	}
	ranges := "bytes=" + list.String()[1:]
	return func(u *unit, _, _ int) {
		u.fetch("/parts", parts, 0, parts.size, "Range", ranges)
		u.rest(100 * time.Millisecond)
	}
}
