//go:build linux

package siege

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	misses     = 2000            // that wait for an origin which does not answer
	originTime = 4 * time.Second // timeouts.response_header
	// ownTime is what the proxy may add to that: waiting for its turn at the origin
	// (5 s at most), and a machine that is busy.
	ownTime = 5*time.Second + patience
)

// TestHitsWhileTheOriginHangs has the origin take requests and answer none. Hits go
// on, and who misses is told in time that nothing is to be had.
func TestHitsWhileTheOriginHangs(t *testing.T) {
	wantFiles(t)
	origin := startOrigin(t)
	p := startProxy(t, origin, fmt.Sprintf("timeouts: {response_header: %s}\n", originTime))
	g := newGood(t, p.Addr)
	g.warm()
	calm := settled(t, p.Proxy)
	before := measure(t, p, g)

	resp, err := http.Get("http://" + origin + "/hang")
	require.NoError(t, err)
	resp.Body.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a := &army{T: t, ctx: ctx, addr: p.Addr}
	u := a.attack("misses", misses, miss)
	for deadline := time.Now().Add(patience); u.open.Load() < misses && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	assert.GreaterOrEqual(t, u.most.Load(), int64(misses), "misses at once")
	during := measure(t, p, g)
	time.Sleep(originTime) // misses that came later are answered too
	stop()
	a.wg.Wait()
	t.Logf("%s%s\nbefore: %s\nduring: %s; that is %.2f of the CPU time and %.2f of the rate",
		a.report(), g.report(), before, during, float64(during.each())/float64(before.each()), during.rate()/before.rate())

	assert.Equal(t, g.asked.Load(), g.stored.Load(), "all hits were answered from the store")
	assert.GreaterOrEqual(t, u.count("504")+u.count("503"), misses, "who misses is told so in time")
	wantCalm(t, p, calm)
}

// miss asks for what is not stored. The answer is that the origin did not answer in
// time, or that too many wait for it; and it comes in time.
func miss(u *unit, attacker, call int) {
	conn := u.dial(attacker)
	if conn == nil {
		return
	}
	defer conn.Close()
	start := time.Now()
	_ = conn.SetReadDeadline(start.Add(originTime + ownTime))
	_, _ = fmt.Fprintf(conn, "GET /each/%d-%d HTTP/1.1\r\n%s\r\n", attacker, call, host)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	if u.ctx.Err() != nil {
		return
	}
	if !assert.NoError(u, err, "a miss, after %s", time.Since(start)) {
		return
	}
	u.end(fmt.Sprint(resp.StatusCode))
	if resp.StatusCode == http.StatusServiceUnavailable {
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		assert.NoError(u, err, "Retry-After")
		u.rest(time.Duration(after) * time.Second)
		return
	}
	assert.Equal(u, http.StatusGatewayTimeout, resp.StatusCode)
}

// figures say how fast hits are.
type figures struct {
	hits int64
	took time.Duration
	cpu  time.Duration // of the proxy
}

func (f figures) each() time.Duration { return f.cpu / time.Duration(max(f.hits, 1)) }
func (f figures) rate() float64       { return float64(f.hits) / f.took.Seconds() }

func (f figures) String() string {
	return fmt.Sprintf("%.0f hits/s, %s of CPU each", f.rate(), f.each())
}

// measure asks for what is hot as fast as it comes.
func measure(t *testing.T, p *proxy, g *good) figures {
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	first, err := p.Usage()
	require.NoError(t, err)
	asked, start := g.asked.Load(), time.Now()
	g.run(ctx, 4, 0)
	last, err := p.Usage()
	require.NoError(t, err)
	return figures{hits: g.asked.Load() - asked, took: time.Since(start), cpu: last.CPU - first.CPU}
}
