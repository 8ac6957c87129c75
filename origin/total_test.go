package origin

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTotalTime: however busy the origin is, the whole has to be over in time.
func TestTotalTime(t *testing.T) {
	const chunky = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	drip := func(p *peer) {
		for {
			if _, err := io.WriteString(p, chunk("a")); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
	for _, tc := range []struct {
		name string
		play func(*peer)
		want Failure
	}{
		{"in time", func(p *peer) { time.Sleep(9 * time.Second); p.say(ok) }, None},
		{"a body in time", func(p *peer) { p.say(chunky); time.Sleep(9 * time.Second); p.say(chunk("ok") + "0\r\n\r\n") }, None},
		{"no head", (*peer).wait, Timeout},
		{"interim responses", func(p *peer) {
			for range 20 {
				p.say("HTTP/1.1 102 Wait\r\n\r\n")
				time.Sleep(time.Second)
			}
		}, Timeout},
		{"a body that drips", func(p *peer) { p.say(chunky); drip(p) }, Timeout},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := overPipes(t, Options{Total: 10 * time.Second}, func(p *peer) {
					for p.head() != nil {
						tc.play(p)
					}
				})
				start := time.Now()
				if tc.want == None {
					_, body := ask(t, o, s.request("GET", ""))
					assert.Equal(t, "ok", body)
					time.Sleep(time.Minute)
					ask(t, o, s.request("GET", ""))
					assert.Equal(t, 1, s.connections(), "the time of one is not that of the next")
					return
				}
				err := fails(t, o, s.request("GET", ""), tc.want)
				assert.EqualError(t, err, "not complete within 10s: i/o timeout")
				assert.Equal(t, 10*time.Second, time.Since(start))
			})
		})
	}
}

// Event streams and upgraded connections go on, and end when they are told to.
func TestNoTotalTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{Total: 10 * time.Second}, func(p *peer) {
			for _, line := range p.head() {
				if line == "Upgrade: echo" {
					p.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
					_, _ = io.Copy(p, p.br)
					return
				}
			}
			p.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
			time.Sleep(time.Hour)
			p.say(chunk("data") + "0\r\n\r\n")
			p.wait()
		})
		_, body := ask(t, o, s.request("GET", ""))
		assert.Equal(t, "data", body)

		r := s.request("GET", "")
		r.Header["Upgrade"], r.Header["Connection"] = []string{"echo"}, []string{"Upgrade"}
		resp, err := o.RoundTrip(r)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		rw := resp.Body.(io.ReadWriteCloser)
		_, err = io.WriteString(rw, "hello")
		require.NoError(t, err)
		b := make([]byte, 5)
		_, err = io.ReadFull(rw, b)
		require.NoError(t, err)
		assert.Equal(t, "hello", string(b))
		assert.NoError(t, rw.Close())
	})
}

func TestTotalTimeOverHTTP2(t *testing.T) {
	s, o := over2(t, Options{Total: 500 * time.Millisecond}, func(w *two) {
		for id := w.request(); id != 0; id = w.request() {
			w.head(id, false, ":status", "200")
			_ = w.WriteData(id, false, []byte("ok"))
		}
	})
	fails(t, o, s.request("GET", ""), Timeout)
	s, o = overTLS(t, Options{Total: 500 * time.Millisecond}, goodTLS("h2"), func(p *peer) {
		serveHTTP(p, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(700 * time.Millisecond)
			_, _ = io.WriteString(w, "data")
		})
	})
	_, body := ask(t, o, s.request("GET", ""))
	assert.Equal(t, "data", body)
}
