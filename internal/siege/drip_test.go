//go:build linux

package siege

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const (
	drippers = 60 // each with an object of its own
	dripTime = 15 * time.Second
)

// TestSlowReadersOfDistinctObjects has clients drip each another large object: one
// half as it comes from the origin, one half from the store.
func TestSlowReadersOfDistinctObjects(t *testing.T) {
	wantFiles(t)
	origin := startOrigin(t)
	for _, engine := range []string{"ristretto", "gdsf"} {
		t.Run(engine, func(t *testing.T) { dripAll(t, origin, engine) })
	}
}

func dripAll(t *testing.T, origin, engine string) {
	p := startProxy(t, origin, fmt.Sprintf("cache: {engine: %s}\n", engine))
	g := newGood(t, p.Addr)
	g.warm()
	calm := settled(t, p.Proxy)
	ctx, stop := context.WithTimeout(t.Context(), dripTime)
	defer stop()
	a := &army{T: t, ctx: ctx, addr: p.Addr}
	var turn sync.Mutex
	u := a.attack("drips", drippers, func(u *unit, attacker, call int) { drip(u, &turn, attacker, call) })
	var wg sync.WaitGroup
	wg.Go(func() { g.run(ctx, 4, 5*time.Millisecond) })
	w := watch{Proxy: p.Proxy}
	wg.Go(func() { w.run(ctx) })
	a.wg.Wait()
	wg.Wait()
	t.Logf("%s%s\n%s", a.report(), g.report(), &w)

	assert.GreaterOrEqual(t, u.count("answered"), drippers, "objects that were dripped")
	assert.Positive(t, u.count("cut off"), "transfers that were ended")
	assert.Positive(t, g.stored.Load())
	assert.Less(t, w.peak, int64(bound), "resident memory, bytes: at most cache size + 128 MiB")
	wantCalm(t, p, calm)
}

// drip asks for an object that nobody else asks for, and takes some bytes of it every
// two seconds. Objects are asked for in turn, since of many at once few are kept.
func drip(u *unit, turn *sync.Mutex, attacker, call int) {
	path := fmt.Sprintf("/wide/%d", call*drippers+attacker)
	conn := u.dial(attacker)
	if conn == nil {
		return
	}
	defer conn.Close()
	_ = conn.(*closing).Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	turn.Lock()
	if attacker%2 == 1 {
		u.fetch(path, wide(call*drippers+attacker), 0, wideSize)
	}
	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\n%s\r\n", path, host)
	var resp *http.Response
	if err == nil {
		resp, err = http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	}
	u.rest(30 * time.Millisecond) // until the origin has sent it
	turn.Unlock()
	if err != nil {
		u.end("no answer")
		return
	}
	u.end("answered")
	for err == nil {
		_, err = io.CopyN(io.Discard, resp.Body, 4<<10)
		u.rest(2 * time.Second)
	}
	u.end("cut off")
}
