package h2

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// Frames are appended to the connection's buffer, under its lock.

func appendFrameHead(b []byte, length int, t http2.FrameType, f http2.Flags, id uint32) []byte {
	b = append(b, byte(length>>16), byte(length>>8), byte(length), byte(t), byte(f))
	return binary.BigEndian.AppendUint32(b, id)
}

func appendSettings(b []byte, settings ...http2.Setting) []byte {
	b = appendFrameHead(b, 6*len(settings), http2.FrameSettings, 0, 0)
	for _, s := range settings {
		b = binary.BigEndian.AppendUint16(b, uint16(s.ID))
		b = binary.BigEndian.AppendUint32(b, s.Val)
	}
	return b
}

func appendWindowUpdate(b []byte, id uint32, n int) []byte {
	b = appendFrameHead(b, 4, http2.FrameWindowUpdate, 0, id)
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

func appendReset(b []byte, id uint32, code http2.ErrCode) []byte {
	b = appendFrameHead(b, 4, http2.FrameRSTStream, 0, id)
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

func appendGoAway(b []byte, last uint32, code http2.ErrCode, why string) []byte {
	b = appendFrameHead(b, 8+len(why), http2.FrameGoAway, 0, 0)
	b = binary.BigEndian.AppendUint32(b, last)
	b = binary.BigEndian.AppendUint32(b, uint32(code))
	return append(b, why...)
}

func appendPing(b []byte, f http2.Flags, data [8]byte) []byte {
	b = appendFrameHead(b, 8, http2.FramePing, f, 0)
	return append(b, data[:]...)
}

// appendHeaders appends a header block, in as many frames as it takes.
func appendHeaders(b []byte, id uint32, block []byte, end bool) []byte {
	t, f := http2.FrameHeaders, http2.Flags(0)
	if end {
		f = http2.FlagHeadersEndStream
	}
	for len(block) > maxFrame {
		b = appendFrameHead(b, maxFrame, t, f, id)
		b = append(b, block[:maxFrame]...)
		block, t, f = block[maxFrame:], http2.FrameContinuation, 0
	}
	b = appendFrameHead(b, len(block), t, f|http2.FlagHeadersEndHeaders, id)
	return append(b, block...)
}

// appendData appends a DATA frame of at most maxFrame.
func appendData(b []byte, id uint32, data []byte, end bool) []byte {
	var f http2.Flags
	if end {
		f = http2.FlagDataEndStream
	}
	b = appendFrameHead(b, len(data), http2.FrameData, f, id)
	return append(b, data...)
}
