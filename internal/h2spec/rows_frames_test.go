package h2spec

import (
	"strings"

	"golang.org/x/net/http2"
)

var dataRows = []row{
	{"9113 6.1", "content in several frames", headers(1, endHeaders, post) + data(1, 0, "ab") + data(1, 0, "") + data(1, endStream, "c"), "200"},
	{"9113 6.1", "padding", headers(1, endHeaders, post) + data(1, endStream|padded, "\x06abc"+filled(6)), "200"},
	{"9113 6.1", "nothing but padding", headers(1, endHeaders, post) + data(1, endStream|padded, "\xff"+filled(255)), "200"},
	{"9113 6.1", "on stream 0", data(0, endStream, "x"), connProtocol},
	{"9113 6.1", "on a stream that is not open", headers(1, whole, wait) + data(1, endStream, "x"), resClosed},
	{"9113 6.1", "padding as long as the frame", headers(1, endHeaders, waitPost) + data(1, padded, "\x04abc"), connProtocol},
	{"9113 6.1", "PADDED without a length of it", headers(1, endHeaders, waitPost) + data(1, padded, ""), connSize},
}

var headersRows = []row{
	{"9113 6.2", "padding", headers(1, whole|padded, "\x06"+get+filled(6)), "200"},
	{"9113 6.2", "a priority", headers(1, whole|priority, dependsOn(0)+get), "200"},
	{"9113 6.2", "padding and a priority", headers(1, whole|padded|priority, "\x02"+dependsOn(1<<31)+get+filled(2)), "200"},
	{"9113 6.2", "on stream 0", headers(0, whole, get), connProtocol},
	{"9113 6.2", "padding longer than the frame", headers(1, whole|padded, "\xff"+get), connProtocol},
	{"9113 6.2", "PRIORITY without room for it", headers(1, whole|priority, "\x00\x00"), connSize},
	{"9113 6.2", "another type of frame before END_HEADERS", headers(1, endStream, get) + data(1, endStream, "x"), connProtocol},
	{"9113 6.2", "another stream before END_HEADERS", headers(1, endStream, get) + headers(3, whole, get), connProtocol},
	{"9113 6.2", "an empty block", headers(1, whole, ""), resProtocol},
}

var priorityRows = []row{
	{"9113 6.3", "on stream 0", frame(http2.FramePriority, 0, 0, dependsOn(1)), connProtocol},
	{"9113 6.3", "of 4 bytes: an error of the stream that may be one of the connection", frame(http2.FramePriority, 0, 1, number(0)), connSize},
	{"9113 6.3", "of 6 bytes", headers(1, whole, wait) + frame(http2.FramePriority, 0, 1, dependsOn(0)+"x"), connSize},
}

var resetRows = []row{
	{"9113 6.4", "on stream 0", rst(0, http2.ErrCodeCancel), connProtocol},
	{"9113 6.4", "of an idle stream", rst(1, http2.ErrCodeCancel), connProtocol},
	{"9113 6.4", "of 3 bytes", headers(1, whole, wait) + frame(http2.FrameRSTStream, 0, 1, "abc"), connSize},
	{"9113 6.4", "the stream that is reset is not answered, others are", headers(1, whole, wait) + headers(3, whole, get) + rst(1, http2.ErrCodeCancel), "3: 200"},
}

var settingsRows = []row{
	{"9113 6.5", "ACK with content", frame(http2.FrameSettings, ack, 0, filled(6)), connSize},
	{"9113 6.5", "on a stream", frame(http2.FrameSettings, 0, 1, ""), connProtocol},
	{"9113 6.5", "of 3 bytes", frame(http2.FrameSettings, 0, 0, "abc"), connSize},
	{"9113 6.5", "of 7 bytes", frame(http2.FrameSettings, 0, 0, filled(7)), connSize},
	{"9113 6.5", "empty", settings() + headers(1, whole, get), "200"},
	{"9113 6.5.2", "ENABLE_PUSH of 2", settings(2, 2), connProtocol},
	{"9113 6.5.2", "ENABLE_PUSH of 0 and of 1", settings(2, 0) + settings(2, 1) + headers(1, whole, get), "200"},
	{"9113 6.5.2", "INITIAL_WINDOW_SIZE of 2^31", settings(4, 1<<31), connFlow},
	{"9113 6.5.2", "MAX_FRAME_SIZE of 16383", settings(5, 16383), connProtocol},
	{"9113 6.5.2", "MAX_FRAME_SIZE of 2^24", settings(5, 1<<24), connProtocol},
	{"9113 6.5.2", "MAX_FRAME_SIZE of 2^24-1", settings(5, 1<<24-1) + headers(1, whole, get), "200"},
	{"9113 6.5.2", "an identifier that is not known", settings(0x1234, 1<<32-1) + headers(1, whole, get), "200"},
	{"9113 6.5.2", "HEADER_TABLE_SIZE of 0, and of all there is", settings(1, 0, 1, 1<<32-1) + headers(1, whole, get) + settings(1, 0) + headers(3, whole, get), "1: 200, 3: 200"},
	{"9113 6.5.2", "MAX_CONCURRENT_STREAMS of 0 is for pushes", settings(3, 0) + headers(1, whole, get), "200"},
	{"9113 6.5.2", "MAX_HEADER_LIST_SIZE of 0 is advice", settings(6, 0) + headers(1, whole, get), "200"},
	{"9113 6.5.3", "a value twice: the last counts", settings(4, 100, 4, 1<<31-1) + headers(1, whole, get), "200"},
}

var pushRows = []row{
	{"9113 6.6, 8.4", "from a client", headers(1, whole, wait) + frame(http2.FramePushPromise, endHeaders, 1, number(2)+get), connProtocol},
	{"9113 6.6, 8.4", "from a client, on stream 0", frame(http2.FramePushPromise, endHeaders, 0, number(2)+get), connProtocol},
}

var pingRows = []row{
	{"9113 6.7", "is answered", ping(0, "12345678"), "nothing"},
	{"9113 6.7", "an ACK that nobody waits for", ping(ack, "12345678"), "nothing"},
	{"9113 6.7", "on a stream", frame(http2.FramePing, 0, 1, "12345678"), connProtocol},
	{"9113 6.7", "of 6 bytes", ping(0, "123456"), connSize},
	{"9113 6.7", "of 9 bytes", ping(0, "123456789"), connSize},
}

var goAwayRows = []row{
	{"9113 6.8", "on a stream", frame(http2.FrameGoAway, 0, 1, number(0)+number(0)), connProtocol},
	{"9113 6.8", "of 4 bytes", frame(http2.FrameGoAway, 0, 0, number(0)), connSize},
	{"9113 6.8", "requests before it are answered, then the connection ends", bare + http2.ClientPreface + settings() + headers(1, whole, get) + goAway(0, "done"), "200, GOAWAY NO_ERROR"},
}

var windowRows = []row{
	{"9113 6.9", "of 0 on the connection", windowUpdate(0, 0), connProtocol},
	{"9113 6.9", "of 0 on a stream", headers(1, whole, wait) + windowUpdate(1, 0), resProtocol},
	{"9113 6.9", "with the reserved bit", headers(1, whole, get) + windowUpdate(0, 1<<31|1), "200"},
	{"9113 6.9", "of 3 bytes", frame(http2.FrameWindowUpdate, 0, 0, "abc"), connSize},
	{"9113 6.9", "of 5 bytes on a stream", headers(1, whole, wait) + frame(http2.FrameWindowUpdate, 0, 1, "abcde"), connSize},
	{"9113 6.9.1", "the connection's window beyond 2^31-1", windowUpdate(0, 1<<31-1), connFlow},
	{"9113 6.9.1", "a stream's window beyond 2^31-1", headers(1, whole, wait) + windowUpdate(1, 1<<31-1), resFlow},
	{"9113 6.9.1", "an answer byte by byte", settings(4, 0) + headers(1, whole, get) + strings.Repeat(windowUpdate(1, 1), 6), "200"},
	{"9113 6.9.2", "a larger window opens those that are there", settings(4, 0) + headers(1, whole, get) + settings(4, 100), "200"},
	{"9113 6.9.2", "a window that becomes negative", settings(4, 3) + headers(1, whole, get) + settings(4, 2) + windowUpdate(1, 4), "200"},
	{"9113 6.9.2", "settings that make a stream's window too large", headers(1, whole, wait) + windowUpdate(1, 1<<31-1-65535) + settings(4, 65536), connFlow},
}

var continuationRows = []row{
	{"9113 6.10", "a block in many frames", headers(1, endStream, get[:10]) + continuation(1, 0, get[10:20]) + continuation(1, 0, "") + continuation(1, endHeaders, get[20:]), "200"},
	{"9113 6.10", "a trailer in two frames", headers(1, endHeaders, post) + headers(1, endStream, fields("x", "y")[:3]) + continuation(1, endHeaders, fields("x", "y")[3:]), "200"},
	{"9113 6.10", "followed by another type of frame", headers(1, endStream, get[:10]) + continuation(1, 0, get[10:20]) + data(1, endStream, "x"), connProtocol},
	{"9113 6.10", "on stream 0", headers(1, endStream, get[:10]) + continuation(0, endHeaders, get[10:]), connProtocol},
	{"9113 6.10", "of another stream", headers(1, endStream, get[:10]) + continuation(3, endHeaders, get[10:]), connProtocol},
	{"9113 6.10", "after END_HEADERS of HEADERS", headers(1, whole, wait) + continuation(1, endHeaders, get), connProtocol},
	{"9113 6.10", "after END_HEADERS of CONTINUATION", headers(1, endStream, wait[:10]) + continuation(1, endHeaders, wait[10:]) + continuation(1, endHeaders, get), connProtocol},
	{"9113 6.10", "after DATA", headers(1, endHeaders, waitPost) + data(1, 0, "x") + continuation(1, endHeaders, get), connProtocol},
}

var errorCodes = []row{
	{"9113 7", "RST_STREAM with a code that is not known", headers(1, whole, wait) + rst(1, 0xff), "nothing"},
	{"9113 7", "GOAWAY with a code that is not known", bare + http2.ClientPreface + settings() + headers(1, whole, get) + goAway(0xff, ""), "200, GOAWAY NO_ERROR"},
}
