package h2spec

import (
	"encoding/binary"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Frames are built by hand, since most of them must not be built. They are
// strings, so that a row of a table can add them up.

// Flags by the names of RFC 9113.
const (
	ack        = http2.FlagSettingsAck
	endStream  = http2.FlagHeadersEndStream
	endHeaders = http2.FlagHeadersEndHeaders
	padded     = http2.FlagHeadersPadded
	priority   = http2.FlagHeadersPriority
	whole      = endHeaders | endStream // a request in one frame
)

func frame(t http2.FrameType, flags http2.Flags, id uint32, payload string) string {
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), byte(t), byte(flags)}
	return string(binary.BigEndian.AppendUint32(head, id)) + payload
}

func headers(id uint32, flags http2.Flags, block string) string {
	return frame(http2.FrameHeaders, flags, id, block)
}

func continuation(id uint32, flags http2.Flags, block string) string {
	return frame(http2.FrameContinuation, flags, id, block)
}

func data(id uint32, flags http2.Flags, content string) string {
	return frame(http2.FrameData, flags, id, content)
}

func settings(pairs ...uint32) string {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = binary.BigEndian.AppendUint16(b, uint16(pairs[i]))
		b = binary.BigEndian.AppendUint32(b, pairs[i+1])
	}
	return frame(http2.FrameSettings, 0, 0, string(b))
}

func rst(id uint32, code http2.ErrCode) string {
	return frame(http2.FrameRSTStream, 0, id, number(uint32(code)))
}

func windowUpdate(id, more uint32) string {
	return frame(http2.FrameWindowUpdate, 0, id, number(more))
}

func ping(flags http2.Flags, opaque string) string { return frame(http2.FramePing, flags, 0, opaque) }

// dependsOn is the payload of PRIORITY.
func dependsOn(id uint32) string { return number(id) + "\x0f" }

func number(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// fields is a header block of names and values in turn: literals without
// indexing, with new names (RFC 7541, 6.2.2).
func fields(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString("\x00" + literal(pairs[i]) + literal(pairs[i+1]))
	}
	return b.String()
}

// literal is a string without Huffman coding.
func literal(s string) string { return integer(0, 7, len(s)) + s }

// integer is a number with a prefix of some bits, after the bits that are given
// (RFC 7541, 5.1).
func integer(first byte, bits, n int) string {
	most := 1<<bits - 1
	if n < most {
		return string([]byte{first | byte(n)})
	}
	b := []byte{first | byte(most)}
	for n -= most; n >= 128; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n)))
}

// huffman is a string in Huffman code.
func huffman(s string) string {
	return integer(0x80, 7, int(hpack.HuffmanEncodeLength(s))) + string(hpack.AppendHuffmanString(nil, s))
}

// request is the block of a request with more fields after those that it needs.
func request(method, path string, more ...string) string {
	return fields(append([]string{
		":method", method, ":scheme", "http", ":authority", "a.example", ":path", path,
	}, more...)...)
}
