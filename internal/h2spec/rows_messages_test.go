package h2spec

import (
	"strings"

	"golang.org/x/net/http2"
)

var exchanges = []row{
	{"9113 8.1", "GET", headers(1, whole, get), "200"},
	{"9113 8.1", "HEAD", headers(1, whole, request("HEAD", "/stored")), "200"},
	{"9113 8.1", "POST with content", headers(1, endHeaders, post) + data(1, endStream, "x"), "200"},
	{"9113 8.1", "POST with a trailer", headers(1, endHeaders, request("POST", "/pass", "trailer", "x")) + data(1, 0, "x") + headers(1, whole, fields("x", "y")), "200"},
	{"9113 8.1", "END_STREAM in an empty frame", headers(1, endHeaders, get) + data(1, endStream, ""), "200"},
	{"9113 8.1", "a second HEADERS without END_STREAM", headers(1, endHeaders, waitPost) + headers(1, endHeaders, fields("x", "y")), resProtocol},
	{"9113 8.1", "an answer before the content has ended: the rest is not wanted", headers(1, endHeaders, request("TRACE", "/")), "405 RST_STREAM NO_ERROR"},
	{"9113 8.1.1", "content-length and more content", headers(1, endHeaders, request("POST", "/wait", "content-length", "1")) + data(1, endStream, "ab"), resProtocol},
	{"9113 8.1.1", "content-length and less content", headers(1, endHeaders, request("POST", "/wait", "content-length", "3")) + data(1, endStream, "ab"), resProtocol},
	{"9113 8.1.1", "content-length and more content in several frames", headers(1, endHeaders, request("POST", "/wait", "content-length", "3")) + data(1, 0, "ab") + data(1, endStream, "cd"), resProtocol},
	{"9113 8.1.1", "content-length and no content", headers(1, whole, request("POST", "/wait", "content-length", "3")), resProtocol},
	{"9113 8.1.1", "content-length, less content and a trailer", headers(1, endHeaders, request("POST", "/wait", "content-length", "3")) + data(1, 0, "ab") + headers(1, whole, fields("x", "y")), resProtocol},
	{"9113 8.5", "CONNECT, which we do not do", headers(1, whole, fields(":method", "CONNECT", ":authority", "a.example:443")), "405"},
	{"9113 8.5", "CONNECT with :scheme and :path", headers(1, whole, request("CONNECT", "/")), resProtocol},
	{"9113 8.5", "CONNECT without :authority", headers(1, whole, fields(":method", "CONNECT")), resProtocol},
	{"8441 4", "extended CONNECT, which we do not announce", headers(1, endHeaders, request("CONNECT", "/", ":protocol", "websocket")), resProtocol},
	{"6585 5", "a header that is too large", tooLarge(1, 70_000), "431"},
	{"9110 15.5.15", "a target that is too long", bigRequest(1, whole, request("GET", "/"+strings.Repeat("a", 20_000))), "414"},
}

// tooLarge is a request with a field of so many bytes.
func tooLarge(id uint32, n int) string {
	return bigRequest(id, whole, request("GET", "/stored", "x", strings.Repeat("a", n)))
}

// bigRequest is a block in as many frames as it takes.
func bigRequest(id uint32, flags http2.Flags, block string) string {
	s := headers(id, flags&^endHeaders, block[:16384])
	for block = block[16384:]; len(block) > 16384; block = block[16384:] {
		s += continuation(id, 0, block[:16384])
	}
	return s + continuation(id, flags&endHeaders, block)
}

// with is a request with a field, without END_STREAM: if it were taken, it would
// wait.
func with(name, value string) string {
	return headers(1, endHeaders, request("POST", "/wait", name, value))
}

var fieldRows = []row{
	{"9113 8.2", "a name in upper case", with("X-Test", "ok"), resProtocol},
	{"9113 8.2", "a trailer's name in upper case", headers(1, endHeaders, waitPost) + headers(1, whole, fields("X-Test", "ok")), resProtocol},
	{"9113 8.2.1", "an empty name", with("", "x"), resProtocol},
	{"9113 8.2.1", "a space in a name", with("x y", "z"), resProtocol},
	{"9113 8.2.1", "a colon in a name", with("x:y", "z"), resProtocol},
	{"9113 8.2.1", "a control in a name", with("x\x1f", "z"), resProtocol},
	{"9113 8.2.1", "a byte beyond ASCII in a name", with("x\xe9", "z"), resProtocol},
	{"9113 8.2.1", "NUL in a value", with("x", "a\x00b"), resProtocol},
	{"9113 8.2.1", "LF in a value", with("x", "a\nb"), resProtocol},
	{"9113 8.2.1", "CR in a value", with("x", "a\rb"), resProtocol},
	{"9113 8.2.1", "a space before a value", with("x", " a"), resProtocol},
	{"9113 8.2.1", "a space after a value", with("x", "a "), resProtocol},
	{"9113 8.2.1", "a tab before a value", with("x", "\ta"), resProtocol},
	{"9113 8.2.1", "a tab and bytes beyond ASCII in a value", headers(1, whole, request("GET", "/stored", "x", "a\tb\xe9")), "200"},
	{"9113 8.2.1", "an empty value", headers(1, whole, request("GET", "/stored", "x", "")), "200"},
	{"9113 8.2.2", "connection", with("connection", "keep-alive"), resProtocol},
	{"9113 8.2.2", "proxy-connection", with("proxy-connection", "keep-alive"), resProtocol},
	{"9113 8.2.2", "keep-alive", with("keep-alive", "timeout=5"), resProtocol},
	{"9113 8.2.2", "transfer-encoding", with("transfer-encoding", "chunked"), resProtocol},
	{"9113 8.2.2", "upgrade", with("upgrade", "websocket"), resProtocol},
	{"9113 8.2.2", "te: trailers, deflate", with("te", "trailers, deflate"), resProtocol},
	{"9113 8.2.2", "te: trailers", headers(1, whole, request("GET", "/stored", "te", "trailers")), "200"},
	{"9113 8.2.2", "connection in a trailer", headers(1, endHeaders, waitPost) + headers(1, whole, fields("connection", "close")), resProtocol},
	{"9113 8.2.3", "cookies in several lines", headers(1, whole, request("GET", "/stored", "cookie", "a=b", "cookie", "c=d")), "200"},
}

// pseudo is a request that may lack, repeat and invent pseudo-header fields.
func pseudo(pairs ...string) string { return headers(1, endHeaders, fields(pairs...)) }

var pseudoFields = []row{
	{"9113 8.3", "an unknown one", with(":test", "ok"), resProtocol},
	{"9113 8.3", "that of answers", with(":status", "200"), resProtocol},
	{"9113 8.3", "in a trailer", headers(1, endHeaders, waitPost) + headers(1, whole, fields(":method", "POST")), resProtocol},
	{"9113 8.3", "after another field", pseudo(":method", "GET", ":scheme", "http", ":authority", "a.example", "x", "y", ":path", "/"), resProtocol},
	{"9113 8.3.1", "no :method", pseudo(":scheme", "http", ":authority", "a.example", ":path", "/"), resProtocol},
	{"9113 8.3.1", "no :scheme", pseudo(":method", "GET", ":authority", "a.example", ":path", "/"), resProtocol},
	{"9113 8.3.1", "no :path", pseudo(":method", "GET", ":scheme", "http", ":authority", "a.example"), resProtocol},
	{"9113 8.3.1", "an empty :path", headers(1, endHeaders, request("GET", "")), resProtocol},
	{"9113 8.3.1", "a :path that does not begin with a slash", headers(1, endHeaders, request("GET", "stored")), resProtocol},
	{"9113 8.3.1", "an asterisk, with OPTIONS", headers(1, whole, request("OPTIONS", "*")), "200"},
	{"9113 8.3.1", "an asterisk, with GET", headers(1, whole, request("GET", "*")), resProtocol},
	{"9113 8.3.1", ":method twice", with(":method", "POST"), resProtocol},
	{"9113 8.3.1", ":scheme twice", with(":scheme", "http"), resProtocol},
	{"9113 8.3.1", ":path twice", with(":path", "/wait"), resProtocol},
	{"9113 8.3.1", ":authority twice", with(":authority", "a.example"), resProtocol},
	{"9113 8.3.1", "no :authority, but host", headers(1, whole, fields(":method", "GET", ":scheme", "http", ":path", "/pass", "host", "a.example")), "200"},
	{"9113 8.3.1", ":authority and another host", with("host", "b.example"), resProtocol},
	{"9113 8.3.1", "user information in :authority", pseudo(":method", "GET", ":scheme", "http", ":authority", "me@a.example", ":path", "/"), resProtocol},
}

// indexed is :method GET, :scheme http and :path / by the static table, and an
// authority as a literal with its name from there.
const indexed = "\x82\x86\x84\x01\x09a.example"

// entry adds a field to the dynamic table.
const entry = "\x40\x01x\x01y"

var hpackRows = []row{
	{"7541 2.3.3", "an index beyond the tables", headers(1, whole, indexed+"\xbe"), connHpack},
	{"7541 2.3.3", "a name with an index beyond the tables", headers(1, whole, indexed+"\x7f\x00\x01y"), connHpack},
	{"7541 2.3.3", "the dynamic table follows the static one", headers(1, whole, indexed+entry+"\xbe\xbe"), "200"},
	{"7541 2.3.3", "the dynamic table is that of the connection", headers(1, whole, indexed+entry) + headers(3, whole, indexed+"\xbe"), "1: 200, 3: 200"},
	{"7541 4.2", "a new size after the first field", headers(1, whole, indexed+entry+"\x20"), connHpack},
	{"7541 4.2", "a new size after the first field, of a table with nothing in it", headers(1, whole, indexed+"\x20"), "200"},
	{"7541 4.2", "two new sizes before the first field", headers(1, whole, "\x20\x3f\xe1\x1f"+indexed), "200"},
	{"7541 4.3", "a size of 0 empties the table", headers(1, whole, indexed+entry) + answered + headers(3, whole, "\x20"+indexed+"\xbe"), "200, " + connHpack},
	{"7541 4.4", "an entry larger than the table empties it", headers(1, whole, indexed+entry) + answered + headers(3, whole, indexed+"\x40\x01z"+literal(strings.Repeat("z", 4096))+"\xbe"), "200, " + connHpack},
	{"7541 5.1", "a number that does not end", headers(1, whole, indexed+"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), connHpack},
	{"7541 5.1", "a number that is cut off", headers(1, whole, indexed+"\xff\x80"), connHpack},
	{"7541 5.2", "Huffman code", headers(1, whole, indexed+"\x00"+huffman("x-name")+huffman("value")), "200"},
	{"7541 5.2", "padding of Huffman code of more than 7 bits", headers(1, whole, indexed+"\x00\x01x\x84\x1f\xff\xff\xff"), connHpack},
	{"7541 5.2", "padding of Huffman code with zeros", headers(1, whole, indexed+"\x00\x01x\x81\x18"), connHpack},
	{"7541 5.2", "EOS in Huffman code", headers(1, whole, indexed+"\x00\x01x\x84\xff\xff\xff\xfc"), connHpack},
	{"7541 5.2", "a string longer than the block", headers(1, whole, indexed+"\x00\x01x\x7f\x00y"), connHpack},
	{"7541 6.1", "index 0", headers(1, whole, indexed+"\x80"), connHpack},
	{"7541 6.2", "all kinds of literals", headers(1, whole, indexed+"\x40\x01a\x01b"+"\x00\x01a\x01b"+"\x10\x01a\x01b"+"\x0f\x2f\x01b"+"\x1f\x2f\x01b"+"\x7e\x01c"), "200"},
	{"7541 6.3", "a size above that of our SETTINGS", headers(1, whole, "\x3f\xe2\x1f"+indexed), connHpack},
	{"7541 6.3", "a size as in our SETTINGS", headers(1, whole, "\x3f\xe1\x1f"+indexed), "200"},
	{"7541 6.3", "a block of nothing but a size", headers(1, whole, indexed) + headers(3, endHeaders|http2.FlagHeadersEndStream, "\x20"), "1: 200, 3: " + resProtocol},
}
