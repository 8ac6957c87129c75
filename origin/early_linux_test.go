package origin

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What an origin says before it is asked is seen at once, as it makes no event of
// the poller any more once the request is sent.
func TestSaidBeforeTheRequest(t *testing.T) {
	for name, tc := range map[string]struct {
		play func(*peer)
		want Failure
	}{
		"garbage":         {func(p *peer) { p.say("220 ready\r\n"); p.head(); p.wait() }, Invalid},
		"its end":         {func(p *peer) { _ = p.Conn.(*net.TCPConn).CloseWrite(); p.head(); p.wait() }, Terminated},
		"an early answer": {func(p *peer) { p.say(ok); p.head(); p.wait() }, None},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{ResponseHeader: time.Minute}
			o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				nc, err := new(net.Dialer).DialContext(ctx, network, addr)
				require.NoError(t, err)
				c := newConn(nc)
				return nc, c.raw.Read(func(fd uintptr) bool { c.peek(fd); return !c.quiet })
			}
			s, o2 := overTCP(t, o, tc.play)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			resp, err := o2.RoundTrip(s.request("GET", "").WithContext(ctx))
			if err == nil {
				resp.Body.Close()
			}
			require.Equal(t, tc.want, Classify(err), "%v", err)
		})
	}
}
