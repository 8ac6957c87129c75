//go:build linux

package siege

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"cacheproxy/internal/siege/rig"
)

// What the origin has, by path.
const (
	hotKeys   = 8        // /hot/N
	hotSize   = 4 << 10  // of each
	largeSize = 8 << 20  // /large
	partsSize = 1 << 20  // /parts, of which ranges are asked for
	eachKeys  = 10_000   // /each/N, of 1 to 16 KiB
	gib       = 1 << 30  // /gib/N
	wideSize  = 16 << 20 // /wide/N
	takeSize  = 1 << 20  // what POST /take promises
	variants  = 1_000    // of /variant
	maxAge    = "max-age=3600"
)

func hot(n int) content         { return content{"hot " + strconv.Itoa(n), hotSize} }
func each(n int) content        { return content{"each " + strconv.Itoa(n), int64(1+n%16) << 10} }
func big(n int) content         { return content{"gib " + strconv.Itoa(n), gib} }
func wide(n int) content        { return content{"wide " + strconv.Itoa(n), wideSize} }
func variant(by string) content { return content{"variant " + by, 2 << 10} }

var large, parts = content{"large", largeSize}, content{"parts", partsSize}

// hangs is set once the origin has been told to answer nothing any more.
var hangs atomic.Bool

// answer is the origin.
func answer(w http.ResponseWriter, r *http.Request) {
	if hangs.Load() {
		<-r.Context().Done()
		return
	}
	kind, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	n, _ := strconv.Atoi(rest)
	w.Header().Set("Cache-Control", maxAge)
	switch kind {
	case "hang":
		hangs.Store(true)
	case "hot":
		send(w, hot(n), true)
	case "large":
		send(w, large, true)
	case "parts":
		send(w, parts, true)
	case "each":
		send(w, each(n), n%2 == 0)
	case "gib":
		send(w, big(n), n%2 == 0)
	case "wide":
		send(w, wide(n), true)
	case "variant":
		w.Header().Set("Vary", "User-Agent")
		send(w, variant(r.UserAgent()), true)
	case "take":
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, n)
	default:
		http.NotFound(w, r)
	}
}

// send sends content, with its length or in chunks. A client that leaves ends it.
func send(w http.ResponseWriter, c content, length bool) {
	if length {
		w.Header().Set("Content-Length", strconv.FormatInt(c.size, 10))
	}
	_, _ = c.WriteTo(w)
}

// originAddr is the variable that makes this program the origin.
const originAddr = "SIEGE_ORIGIN"

// beOrigin serves until the process is killed.
func beOrigin(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return http.Serve(l, http.HandlerFunc(answer))
}

// startOrigin starts the origin in a process of its own, and gives its address.
func startOrigin(t *testing.T) string {
	addr := rig.FreeAddr(t)
	rig.Self(t, originAddr+"="+addr).WaitListening(t, addr)
	return addr
}
