package faults

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what a client gets.
type answer struct {
	status int
	error  string // type in Proxy-Status (RFC 9209, 2.3), when the answer is the proxy's own
	body   string
	broken bool // the transfer breaks off
}

// fault is something that an origin does wrong, or oddly.
type fault struct {
	group, name string // group is given once, by its first fault
	gets        answer
	stored      bool   // what the client gets, when it asked with a GET
	kept        bool   // the connection is used again
	bound       string // the timeout that ends it; "" = none has to
	upload      bool   // it is about the content of a request, so there is only a POST, with much of it

	// One of these plays it.
	deaf     func(*origin)            // takes no connection
	accepted func(*peer)              // before a request has been read
	asked    func(*peer) (stays bool) // after it; the connection is closed unless it stays
}

// host is the name by which the proxy knows the origin.
func (f *fault) host() string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(f.name)) + ".test"
}

// standsIn reports whether a stale response may be used instead.
func (f *fault) standsIn() bool { return f.gets.error != "" && !f.upload }

// most is how long the fault may last.
func (f *fault) most() time.Duration {
	if f.bound == "" {
		return 0
	}
	return patience
}

var (
	refused   = answer{status: http.StatusBadGateway, error: "connection_refused"}
	lost      = answer{status: http.StatusBadGateway, error: "connection_terminated"}
	invalid   = answer{status: http.StatusBadGateway, error: "http_protocol_error"}
	tooLong   = answer{status: http.StatusBadGateway, error: "http_response_header_section_size"}
	badCoding = answer{status: http.StatusBadGateway, error: "http_response_transfer_coding"}
	unopened  = answer{status: http.StatusGatewayTimeout, error: "connection_timeout"}
	untaken   = answer{status: http.StatusGatewayTimeout, error: "connection_write_timeout"}
	late      = answer{status: http.StatusGatewayTimeout, error: "http_response_timeout"}
	whole     = answer{status: http.StatusOK, body: "answer"}
)

// broken is a transfer that breaks off after some content.
func broken(content string) answer {
	return answer{status: http.StatusOK, body: content, broken: true}
}

const (
	connect        = "`timeouts.connect`"
	responseHeader = "`timeouts.response_header`"
	responseBody   = "`timeouts.response_body`"
)

const (
	fields   = "Cache-Control: max-age=600\r\n" // with which all could be stored
	begin    = "HTTP/1.1 200 OK\r\n" + fields
	sized    = begin + "Content-Length: 6\r\n\r\n"
	inChunks = begin + "Transfer-Encoding: chunked\r\n\r\n"
	toEnd    = begin + "Connection: close\r\n\r\n"
	begun    = inChunks + "3\r\nans\r\n"
	another  = "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 8\r\n\r\nsmuggled"
)

// says sends text and keeps the connection open.
func says(text ...string) func(*peer) bool {
	return func(p *peer) bool {
		return p.say(strings.Join(text, "")) == nil
	}
}

// saysAndCloses sends text and then the end of the connection.
func saysAndCloses(text ...string) func(*peer) bool {
	return func(p *peer) bool {
		_ = p.say(strings.Join(text, ""))
		return false
	}
}

// saysAndResets resets the connection once the client has the head that text
// begins with, or at once if it has none.
func saysAndResets(text string) func(*peer) bool {
	return func(p *peer) bool {
		_ = p.say(text)
		if strings.Contains(text, "\r\n\r\n") {
			<-p.trial.head
		}
		p.reset()
		return false
	}
}

// drips sends text byte by byte, and leaves far less than patience in between.
func drips(first, text string) func(*peer) bool {
	return func(p *peer) bool {
		err := p.say(first)
		for i := 0; i < len(text) && err == nil; i++ {
			time.Sleep(patience / 20)
			err = p.say(text[i : i+1])
		}
		return err == nil
	}
}

// repeats sends text again and again, fast, until the proxy has had enough of it.
func repeats(first, text string) func(*peer) bool {
	text = strings.Repeat(text, 1000)
	return func(p *peer) bool {
		for err := p.say(first); err == nil; {
			err = p.say(text)
		}
		return false
	}
}

// status is a whole answer with a status line of its own.
func status(line string) func(*peer) bool {
	return says(line, "\r\n", fields, "Content-Length: 6\r\n\r\nanswer")
}

// field is a whole answer with more fields.
func field(lines ...string) func(*peer) bool {
	return says(begin, strings.Join(lines, "\r\n"), "\r\nContent-Length: 6\r\n\r\nanswer")
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "X%d: y\r\n", i)
	}
	return b.String()
}

var long = strings.Repeat("long ", 60<<10)

const dripped = "a body that comes slowly"

var faults = []fault{
	{group: "Connection", name: "refused", gets: refused, deaf: (*origin).refuse},
	{name: "never answered", gets: unopened, bound: connect, deaf: (*origin).ignore},
	{name: "closed when accepted", gets: lost, accepted: func(*peer) {}},
	{name: "reset when accepted", gets: lost, accepted: (*peer).reset},
	{name: "silent when accepted", gets: late, bound: responseHeader, accepted: (*peer).silence},

	{group: "Head", name: "closed without an answer", gets: lost, asked: saysAndCloses()},
	{name: "reset without an answer", gets: lost, asked: saysAndResets("")},
	{name: "silent without an answer", gets: late, bound: responseHeader, asked: says()},
	{name: "closed amid the head", gets: lost, asked: saysAndCloses(begin)},
	{name: "reset amid the head", gets: lost, asked: saysAndResets(begin)},
	{name: "silent amid the head", gets: late, bound: responseHeader, asked: says(begin)},
	{name: "a head that drips", gets: late, bound: responseHeader, asked: drips("", begin+strings.Repeat("A: b\r\n", 100))},
	{name: "a head without end", gets: tooLong, asked: repeats(begin, "A: b\r\n")},
	{name: "a line without end", gets: tooLong, asked: repeats(begin+"A: ", "bbbbbb")},
	{name: "a head over the limit", gets: tooLong, asked: field("A: " + long)},
	{name: "too many fields", gets: invalid, asked: field(manyFields(5000) + "A: b")},

	{group: "Not HTTP", name: "garbage", gets: invalid, asked: says("\x00\x01\x02\x03\xff\xfe\xfd")},
	{name: "garbage before the request", gets: invalid, accepted: func(p *peer) { _ = p.say("220 ready\r\n"); p.silence() }},
	{name: "HTTP/0.9", gets: invalid, asked: saysAndCloses("<p>answer</p>")},
	{name: "HTTP/2 in text", gets: invalid, asked: status("HTTP/2 200 OK")},
	{name: "status 99", gets: invalid, asked: status("HTTP/1.1 99 Low")},
	{name: "status 099", gets: invalid, asked: status("HTTP/1.1 099 Low")},
	{name: "status 1000", gets: invalid, asked: status("HTTP/1.1 1000 High")},
	{name: "status abc", gets: invalid, asked: status("HTTP/1.1 abc OK")},
	{name: "no status", gets: invalid, asked: status("HTTP/1.1")},
	{name: "a field without a colon", gets: invalid, asked: field("answer")},
	{name: "a field with a space before its colon", gets: invalid, asked: field("A : b")},
	{name: "a folded field", gets: invalid, asked: field("A: b", " c")},
	{name: "a field with NUL", gets: invalid, asked: field("A: b\x00c")},
	{name: "a field with a bare CR", gets: invalid, asked: field("A: b\rB: c")},
	{name: "lines that end in LF alone", gets: whole, stored: true, kept: true, asked: says(strings.ReplaceAll(sized, "\r", ""), "answer")},

	{group: "Wrong kind of answer", name: "101 unasked", gets: invalid, asked: says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")},
	{name: "40 answers of 1xx before the final one", gets: invalid, asked: says(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 40), sized, "answer")},
	{name: "1xx without end", gets: invalid, asked: repeats("", "HTTP/1.1 103 Early Hints\r\n\r\n")},
	{name: "1xx that drips", gets: late, bound: responseHeader, asked: drips("", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 30))},
	{name: "1xx and then silence", gets: late, bound: responseHeader, asked: says("HTTP/1.1 103 Early Hints\r\n\r\n")},
	{name: "204 with a body", gets: answer{status: http.StatusNoContent}, stored: true, asked: says("HTTP/1.1 204 No Content\r\n", fields, "Content-Length: 6\r\n\r\nanswer")},
	{name: "206 unasked", gets: invalid, asked: saysAndCloses("HTTP/1.1 206 Partial Content\r\n", fields, "Connection: close\r\nContent-Range: bytes 0-5/12\r\nContent-Length: 6\r\n\r\nanswer")},
	{name: "304 unasked", gets: invalid, kept: true, asked: says("HTTP/1.1 304 Not Modified\r\n", fields, "\r\n")},

	{group: "Framing", name: "Content-Length too short", gets: answer{status: http.StatusOK, body: "answer"}, stored: true, asked: says(sized, "answer and more")},
	{name: "Content-Length too long, then closed", gets: broken("ans"), asked: saysAndCloses(sized, "ans")},
	{name: "Content-Length too long, then silence", gets: broken("ans"), bound: responseBody, asked: says(sized, "ans")},
	{name: "Content-Length twice, the same", gets: whole, stored: true, kept: true, asked: field("Content-Length: 6")},
	{name: "Content-Length twice, not the same", gets: invalid, asked: field("Content-Length: 7")},
	{name: "Content-Length that is no number", gets: invalid, asked: saysAndCloses(begin, "Content-Length: six\r\n\r\nanswer")},
	{name: "Content-Length below zero", gets: invalid, asked: saysAndCloses(begin, "Content-Length: -6\r\n\r\nanswer")},
	{name: "Content-Length beside chunks", gets: whole, stored: true, asked: says(begin, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n")},
	{name: "another transfer coding", gets: badCoding, asked: saysAndCloses(begin, "Transfer-Encoding: gzip, chunked\r\n\r\n")},
	{name: "chunks twice over", gets: badCoding, asked: saysAndCloses(begin, "Transfer-Encoding: chunked, chunked\r\n\r\n")},
	{name: "a second answer at once", gets: whole, stored: true, asked: says(sized, "answer", another)},
	{name: "a second answer later", gets: whole, stored: true, asked: func(p *peer) bool {
		_ = p.say(sized + "answer")
		<-p.trial.body
		return p.say(another) == nil
	}},

	{group: "Body of known length", name: "reset before the first byte", gets: broken(""), asked: saysAndResets(sized)},
	{name: "reset amid the body", gets: broken("ans"), asked: saysAndResets(sized + "ans")},
	{name: "silent before the first byte", gets: broken(""), bound: responseBody, asked: says(sized)},
	{name: "a body that drips", gets: answer{status: http.StatusOK, body: dripped}, stored: true, kept: true,
		asked: drips(begin+"Content-Length: "+strconv.Itoa(len(dripped))+"\r\n\r\n", dripped)},

	{group: "Body in chunks", name: "closed between chunks", gets: broken("ans"), asked: saysAndCloses(begun)},
	{name: "closed amid a chunk", gets: broken("answ"), asked: saysAndCloses(begun, "3\r\nw")},
	{name: "reset between chunks", gets: broken("ans"), asked: saysAndResets(begun)},
	{name: "silent amid a chunk", gets: broken("answ"), bound: responseBody, asked: says(begun, "3\r\nw")},
	{name: "silent before the last chunk", gets: broken("ans"), bound: responseBody, asked: says(begun)},
	{name: "silent before the end of the trailer", gets: broken("ans"), bound: responseBody, asked: says(begun, "0\r\nA: b\r\n")},
	{name: "a size that is no number", gets: broken("ans"), asked: says(begun, "zz\r\nwer\r\n0\r\n\r\n")},
	{name: "a size beyond all numbers", gets: broken("ans"), asked: says(begun, strings.Repeat("f", 17), "\r\nwer\r\n0\r\n\r\n")},
	{name: "a size with a sign", gets: broken("ans"), asked: says(begun, "+3\r\nwer\r\n0\r\n\r\n")},
	{name: "no CRLF after a chunk", gets: broken("answer"), asked: says(begun, "3\r\nwer0\r\n\r\n")},
	{name: "LF alone after a size", gets: broken("ans"), asked: says(begun, "3\nwer\r\n0\r\n\r\n")},
	{name: "a line of a chunk without end", gets: broken("ans"), asked: repeats(begun+"3;", "extension")},
	{name: "a trailer that is none", gets: broken("ans"), asked: says(begun, "0\r\nnonsense\r\n\r\n")},
	{name: "a trailer without end", gets: broken("ans"), asked: repeats(begun+"0\r\n", "A: b\r\n")},
	{name: "a second answer after the last chunk", gets: whole, stored: true, asked: says(begun, "3\r\nwer\r\n0\r\n\r\n", another)},

	{group: "Body to the end of the connection", name: "reset amid", gets: broken("ans"), asked: saysAndResets(toEnd + "ans")},
	{name: "silent amid", gets: broken("ans"), bound: responseBody, asked: says(toEnd, "ans")},
	{name: "closed, at the end or too early", gets: whole, stored: true, asked: saysAndCloses(toEnd, "answer")},

	{group: "HTTP/1.0", name: "keep-alive and a length", gets: whole, stored: true, kept: true, asked: says("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", fields, "Content-Length: 6\r\n\r\nanswer")},
	{name: "a length, and the connection stays open", gets: whole, stored: true, asked: says("HTTP/1.0 200 OK\r\n", fields, "Content-Length: 6\r\n\r\nanswer")},
	{name: "keep-alive without a length", gets: broken("answer"), bound: responseBody, asked: says("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", fields, "\r\nanswer")},
	{name: "chunks in HTTP/1.0", gets: badCoding, asked: says("HTTP/1.0 200 OK\r\n", fields, "Transfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n")},

	{group: "Content of the request", name: "silent, and takes none of it", gets: untaken, bound: responseHeader, upload: true,
		accepted: func(p *peer) { <-p.trial.head }},
	{name: "silent after all of it", gets: late, bound: responseHeader, upload: true, asked: says()},
	{name: "closed amid it", gets: lost, upload: true, accepted: (*peer).takeSome},
	{name: "reset amid it", gets: lost, upload: true, accepted: func(p *peer) { p.takeSome(); p.reset() }},
	{name: "an answer amid it, and takes no more", gets: whole, upload: true,
		accepted: func(p *peer) { p.takeSome(); _ = p.say(sized + "answer"); <-p.trial.body }},
	{name: "garbage amid it", gets: invalid, upload: true, accepted: func(p *peer) { p.takeSome(); _ = p.say("garbage"); p.silence() }},
}
