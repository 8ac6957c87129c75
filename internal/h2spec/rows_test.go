package h2spec

import (
	"slices"

	"golang.org/x/net/http2"
)

// row is a case: what a client sends after its preface and SETTINGS, and what
// comes of it. After all but GOAWAY and "closed" the connection must live.
type row struct {
	section string
	what    string
	sent    string
	want    string
}

var rows = slices.Concat(
	connections, frameRows, streamStates, streamRules,
	dataRows, headersRows, priorityRows, resetRows, settingsRows, pushRows, pingRows, goAwayRows, windowRows, continuationRows,
	errorCodes, exchanges, fieldRows, pseudoFields, hpackRows,
)

// What most rows are made of.
var (
	get  = request("GET", "/stored")
	post = request("POST", "/pass")
	// wait is a request whose answer does not come.
	wait     = request("GET", "/wait")
	waitPost = request("POST", "/wait")
)

const (
	connProtocol = "GOAWAY PROTOCOL_ERROR"
	connSize     = "GOAWAY FRAME_SIZE_ERROR"
	connFlow     = "GOAWAY FLOW_CONTROL_ERROR"
	connClosed   = "GOAWAY STREAM_CLOSED"
	connHpack    = "GOAWAY COMPRESSION_ERROR"
	resProtocol  = "RST_STREAM PROTOCOL_ERROR"
	resClosed    = "RST_STREAM STREAM_CLOSED"
	resFlow      = "RST_STREAM FLOW_CONTROL_ERROR"
)

var connections = []row{
	{"9113 3.4", "preface, SETTINGS, and a request", headers(1, whole, get), "200"},
	{"9113 3.4", "the request before our SETTINGS came", bare + http2.ClientPreface + settings() + headers(1, whole, get) + goAway(0, ""), "200, GOAWAY NO_ERROR"},
	{"9113 3.4", "no preface: it is read as HTTP/1.1", bare + "INVALID CONNECTION PREFACE\r\n\r\n", "400 in HTTP/1.1, closed"},
	{"9113 3.4", "a preface whose end is another", bare + "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + settings(), "closed"},
	{"9113 3.4", "a first frame that is not SETTINGS", bare + http2.ClientPreface + ping(0, "12345678"), connProtocol},
	{"9113 3.4", "a first frame that is an ACK of SETTINGS", bare + http2.ClientPreface + frame(http2.FrameSettings, ack, 0, ""), connProtocol},
	{"9113 3.4", "a first frame that is HEADERS", bare + http2.ClientPreface + headers(1, whole, get), connProtocol},
}

// goAway is what the client says when it leaves.
func goAway(code uint32, debug string) string {
	return frame(http2.FrameGoAway, 0, 0, number(0)+number(code)+debug)
}

// filled is so many bytes.
func filled(n int) string { return string(make([]byte, n)) }

var frameRows = []row{
	{"9113 4.1", "a frame of an unknown type", frame(0x16, 0, 0, "12345678") + headers(1, whole, get), "200"},
	{"9113 4.1", "PING with flags that do not exist", ping(0x16, "12345678") + headers(1, whole, get), "200"},
	{"9113 4.1", "PING with the reserved bit", frame(http2.FramePing, 0, 1<<31, "12345678") + headers(1, whole, get), "200"},
	{"9113 4.1", "HEADERS with the reserved bit", headers(1|1<<31, whole, get), "200"},
	{"9113 4.2", "DATA of 16384 bytes", headers(1, endHeaders, post) + data(1, endStream, filled(16384)), "200"},
	{"9113 4.2", "DATA of 16385 bytes", headers(1, endHeaders, post) + data(1, endStream, filled(16385)), connSize},
	{"9113 4.2", "HEADERS of 16385 bytes", headers(1, whole, request("GET", "/", "x", filled(16385))[:16385]), connSize},
	{"9113 4.2", "an unknown frame of 16385 bytes", frame(0x16, 0, 0, filled(16385)), connSize},
	{"9113 4.3", "a block that is not HPACK", headers(1, whole, "\x40"), connHpack},
	{"9113 4.3", "a broken block on a stream that is over", headers(1, whole, get) + answered + headers(3, whole, "\x80"), "200, " + connHpack},
	{"9113 4.3", "PRIORITY between the frames of a block", headers(1, endStream, get[:10]) + frame(http2.FramePriority, 0, 1, dependsOn(0)) + continuation(1, endHeaders, get[10:]), connProtocol},
	{"9113 4.3", "HEADERS of another stream between the frames of a block", headers(1, endStream, get[:10]) + headers(3, whole, get), connProtocol},
	{"9113 4.3", "a block that is refused still changes the table", headers(1, whole, get+"\x40"+literal("x-late")+literal("y")+fields("BAD", "x")) + headers(3, whole, get+"\xbe"), "1: " + resProtocol + ", 3: 200"},
}

var streamStates = []row{
	{"9113 5.1", "idle: DATA", data(1, endStream, "x"), connProtocol},
	{"9113 5.1", "idle: RST_STREAM", rst(1, http2.ErrCodeCancel), connProtocol},
	{"9113 5.1", "idle: WINDOW_UPDATE", windowUpdate(1, 100), connProtocol},
	{"9113 5.1", "idle: CONTINUATION", continuation(1, endHeaders, get), connProtocol},
	{"9113 5.1", "idle: PRIORITY", frame(http2.FramePriority, 0, 1, dependsOn(0)) + headers(1, whole, get), "200"},
	{"9113 5.1", "half-closed (remote): DATA", headers(1, whole, wait) + data(1, endStream, "x"), resClosed},
	{"9113 5.1", "half-closed (remote): HEADERS", headers(1, whole, wait) + headers(1, whole, get), resClosed},
	{"9113 5.1", "half-closed (remote): CONTINUATION", headers(1, whole, wait) + continuation(1, endHeaders, get), connProtocol},
	{"9113 5.1", "half-closed (remote): WINDOW_UPDATE, PRIORITY", headers(1, whole, wait) + windowUpdate(1, 100) + frame(http2.FramePriority, 0, 1, dependsOn(3)), "nothing"},
	{"9113 5.1", "half-closed (remote): RST_STREAM", headers(1, whole, wait) + rst(1, http2.ErrCodeCancel), "nothing"},
	{"9113 5.1", "closed by the client's RST_STREAM: DATA", headers(1, endHeaders, waitPost) + rst(1, http2.ErrCodeCancel) + data(1, endStream, "x"), resClosed},
	{"9113 5.1", "closed by the client's RST_STREAM: HEADERS", headers(1, endHeaders, waitPost) + rst(1, http2.ErrCodeCancel) + headers(1, whole, get), resClosed},
	{"9113 5.1", "closed by the client's RST_STREAM: CONTINUATION", headers(1, endHeaders, waitPost) + rst(1, http2.ErrCodeCancel) + continuation(1, endHeaders, get), connProtocol},
	{"9113 5.1", "closed by the client's RST_STREAM: RST_STREAM, WINDOW_UPDATE, PRIORITY", headers(1, endHeaders, waitPost) + rst(1, http2.ErrCodeCancel) + rst(1, http2.ErrCodeCancel) + windowUpdate(1, 100) + frame(http2.FramePriority, 0, 1, dependsOn(0)), "nothing"},
	{"9113 5.1", "closed by our RST_STREAM: DATA, HEADERS and more that were on their way", headers(1, endHeaders, request("POST", "/wait", "BAD", "x")) + data(1, 0, "x") + headers(1, whole, fields("x", "y")) + windowUpdate(1, 1) + rst(1, http2.ErrCodeCancel), resProtocol},
	{"9113 5.1", "closed by END_STREAM: DATA", headers(1, whole, get) + answered + data(1, endStream, "x"), "200 " + resClosed},
	{"9113 5.1", "closed by END_STREAM: HEADERS", headers(1, whole, get) + answered + headers(1, whole, get), "200, " + connClosed},
	{"9113 5.1", "closed by END_STREAM: CONTINUATION", headers(1, whole, get) + answered + continuation(1, endHeaders, get), "200, " + connProtocol},
	{"9113 5.1", "closed by END_STREAM: RST_STREAM, WINDOW_UPDATE, PRIORITY", headers(1, whole, get) + answered + rst(1, http2.ErrCodeCancel) + windowUpdate(1, 100) + frame(http2.FramePriority, 0, 1, dependsOn(0)), "200"},
	{"9113 5.1.1", "an even stream", headers(2, whole, get), connProtocol},
	{"9113 5.1.1", "a lower stream than before", headers(5, whole, wait) + headers(3, whole, get), connProtocol},
	{"9113 5.1.1", "streams that are left out", headers(1, whole, get) + headers(1001, whole, get), "1: 200, 1001: 200"},
	{"9113 5.1.1", "a stream that was left out is closed", headers(5, whole, wait) + data(3, endStream, "x"), "3: " + resClosed},
}

var streamRules = []row{
	{"9113 5.3.2", "PRIORITY of streams that do not exist", frame(http2.FramePriority, 0, 5, dependsOn(1<<31|99)) + headers(3, whole, get), "3: 200"},
	{"9113 5.3.2", "PRIORITY that depends on itself says nothing any more", headers(1, whole, get) + frame(http2.FramePriority, 0, 3, dependsOn(3)), "200"},
	{"9113 5.3.2", "HEADERS that depend on themselves say nothing any more", headers(1, whole|priority, dependsOn(1)+get), "200"},
	{"9113 5.4.1", "after GOAWAY the connection ends", ping(0, "short"), connSize},
	{"9113 5.4.1", "frames that follow the error are not answered", ping(0, "short") + headers(1, whole, get), connSize},
	{"9113 5.4.2", "RST_STREAM is not answered by RST_STREAM", headers(1, endHeaders, waitPost) + rst(1, http2.ErrCodeProtocol), "nothing"},
	{"9113 5.5", "unknown frames, on any stream", frame(0x16, 0xff, 0, "x") + frame(0xff, 0xff, 77, "x") + headers(1, whole, get), "200"},
	{"9113 5.5", "an unknown frame between the frames of a block", headers(1, endStream, get[:10]) + frame(0x16, 0, 0, "x") + continuation(1, endHeaders, get[10:]), connProtocol},
	{"9113 5.5", "an unknown setting", settings(0x99, 1) + headers(1, whole, get), "200"},
}
