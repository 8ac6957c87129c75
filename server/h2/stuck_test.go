package h2

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
)

// TestStuck: what waits for a client is listed with the memory that it holds, and can
// be ended.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.(*response).Holds(func() int64 { return 5 << 20 })
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		})}
		c := connect(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100 << 10})
		c.wrote(c.fr.WriteWindowUpdate(0, 10<<20))
		assert.Empty(t, s.Stuck())
		c.get(1, "/")
		synctest.Wait()
		time.Sleep(time.Second)
		if all := s.Stuck(); assert.Len(t, all, 1) {
			assert.Equal(t, time.Second, all[0].For)
			assert.EqualValues(t, 5<<20, all[0].Held)
		}
		c.wrote(c.fr.WriteWindowUpdate(1, 128<<10)) // it takes slices
		synctest.Wait()
		time.Sleep(time.Second)
		all := s.Stuck()
		if assert.Len(t, all, 1) {
			assert.Equal(t, time.Second, all[0].For)
			all[0].End()
		}
		assert.Equal(t, http2.ErrCodeEnhanceYourCalm, c.expect(http2.FrameRSTStream).Code)
		assert.ErrorIs(t, <-ended, errStalled)
		assert.Empty(t, s.Stuck())
		all[0].End() // it is over
	})
}

// TestStuckHits: so are hits, whose reply is given back at once.
func TestStuckHits(t *testing.T) {
	var o outcomes
	s := cached(t, o.add)
	c := connect(t, s)
	c.get(1, "/300000")
	c.wrote(c.fr.WriteWindowUpdate(0, 10<<20))
	c.wrote(c.fr.WriteWindowUpdate(1, 10<<20))
	_, body := c.answer(1)
	assert.Len(t, body, 300000)
	c.get(3, "/300000")
	c.expect(http2.FrameHeaders)
	assert.Eventually(t, func() bool { return len(s.Stuck()) == 1 }, 10*time.Second, time.Millisecond)
	all := s.Stuck()
	assert.EqualValues(t, 300000, all[0].Held)
	all[0].End()
	assert.True(t, o.of(t, "/300000", 1).Aborted)
	assert.Equal(t, http2.ErrCodeEnhanceYourCalm, c.expect(http2.FrameRSTStream).Code)
}
