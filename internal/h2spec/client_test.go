package h2spec

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// answered in what is sent waits until the answer on the first stream has ended.
	answered = "<wait for the answer>"
	// bare begins what is sent without preface and SETTINGS.
	bare = "<no preface>"

	// tooLong is when something that must come is missing.
	tooLong = 5 * time.Second

	probeStream = 100_001
)

// fate is what came of a connection.
type fate struct {
	streams map[uint32]*streamFate
	goAway  string // its error code
	ended   bool   // by the server
	silent  bool   // something that must come did not
	ponged  bool   // the PING after the probe came back
}

type streamFate struct {
	statuses []string
	body     string
	ended    bool
	reset    string // its error code
}

// talk sends something on a connection of its own, and then asks whether the
// connection lives. It reads until the connection ends, or lives and the fate is
// done.
func talk(t testing.TB, addr, sent string, done func(*fate) bool) *fate {
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer nc.Close()
	f := &fate{streams: map[uint32]*streamFate{}}
	r := &reader{br: bufio.NewReader(nc), dec: hpack.NewDecoder(4096, nil), fate: f}
	sent, isBare := strings.CutPrefix(sent, bare)
	if !isBare {
		sent = http2.ClientPreface + settings() + sent
	}
	parts := strings.Split(sent, answered)
	for i, part := range parts {
		write(nc, part)
		if i < len(parts)-1 {
			r.until(nc, func() bool { return f.stream(1).ended || f.stream(1).reset != "" })
		}
	}
	if isBare {
		r.until(nc, func() bool { return false })
		return f
	}
	probe := request("HEAD", "/probe") // needs no window
	write(nc, frame(http2.FrameSettings, ack, 0, "")+headers(probeStream, whole, probe))
	r.until(nc, func() bool { return f.stream(probeStream).ended && done(f) })
	if !f.ended { // what else came with it
		write(nc, ping(0, "the last"))
		r.until(nc, func() bool { return f.ponged })
	}
	return f
}

// write sends while the server may have hung up: what it said is still read.
func write(nc net.Conn, s string) {
	_ = nc.SetWriteDeadline(time.Now().Add(tooLong))
	_, _ = io.WriteString(nc, s)
}

func (f *fate) stream(id uint32) *streamFate {
	if f.streams[id] == nil {
		f.streams[id] = &streamFate{}
	}
	return f.streams[id]
}

// String names what came on each stream, in their order, and the end: "1: 200,
// 3: RST_STREAM CANCEL". Where only the first got something, its number is left
// out. That a connection lives is not said.
func (f *fate) String() string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(f.streams)) {
		if s := f.streams[id].String(); s != "" && id != probeStream {
			all = append(all, fmt.Sprintf("%d: %s", id, s))
		}
	}
	if len(all) == 1 {
		all[0] = strings.TrimPrefix(all[0], "1: ")
	}
	switch {
	case f.goAway != "":
		all = append(all, "GOAWAY "+f.goAway)
	case f.ended:
		all = append(all, "closed")
	}
	if f.silent {
		all = append(all, "then nothing")
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

func (s *streamFate) String() string {
	all := slices.Clone(s.statuses)
	if s.reset != "" {
		all = append(all, "RST_STREAM "+s.reset)
	}
	return strings.Join(all, " ")
}

// reader reads what the server sends.
type reader struct {
	br   *bufio.Reader
	dec  *hpack.Decoder
	fate *fate
}

// until reads until something is so, or the connection ends, or nothing comes.
func (r *reader) until(nc net.Conn, so func() bool) {
	_ = nc.SetReadDeadline(time.Now().Add(tooLong))
	for !r.fate.ended && !r.fate.silent && !so() {
		if err := r.next(); errors.Is(err, os.ErrDeadlineExceeded) {
			r.fate.silent = true
		} else if err != nil {
			r.fate.ended = true
		}
	}
}

// next reads a frame.
func (r *reader) next() error {
	if b, err := r.br.Peek(9); err == nil && bytes.HasPrefix(b, []byte("HTTP/1.1 ")) {
		line, _ := r.br.ReadString('\n')
		_, _ = io.Copy(io.Discard, r.br)
		r.fate.stream(1).statuses = []string{line[9:12] + " in HTTP/1.1"}
		return io.EOF
	}
	var head [9]byte
	if _, err := io.ReadFull(r.br, head[:]); err != nil {
		return err
	}
	payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(r.br, payload); err != nil {
		return err
	}
	return r.take(http2.FrameType(head[3]), http2.Flags(head[4]), binary.BigEndian.Uint32(head[5:]), payload)
}

func (r *reader) take(typ http2.FrameType, flags http2.Flags, id uint32, payload []byte) error {
	switch typ {
	case http2.FrameHeaders, http2.FrameContinuation: // ours are never padded
		list, err := r.dec.DecodeFull(payload)
		if err != nil {
			return err
		}
		for _, f := range list {
			if f.Name == ":status" {
				r.fate.stream(id).statuses = append(r.fate.stream(id).statuses, f.Value)
			}
		}
	case http2.FrameData:
		r.fate.stream(id).body += string(payload)
	case http2.FrameRSTStream:
		r.fate.stream(id).reset = http2.ErrCode(binary.BigEndian.Uint32(payload)).String()
	case http2.FrameGoAway:
		r.fate.goAway = http2.ErrCode(binary.BigEndian.Uint32(payload[4:])).String()
	case http2.FramePing:
		r.fate.ponged = r.fate.ponged || flags.Has(ack) && string(payload) == "the last"
	}
	if (typ == http2.FrameHeaders || typ == http2.FrameData) && flags.Has(endStream) {
		r.fate.stream(id).ended = true
	}
	return nil
}
