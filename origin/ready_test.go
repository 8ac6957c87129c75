package origin

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReady: what came with the head can be read without waiting, and no more
// than that.
func TestReady(t *testing.T) {
	for _, tc := range []struct {
		name, first, rest string
		before, after     bool // ready at the head, and once the content "ab" was read
	}{
		{"all of it", "Content-Length: 2\r\n\r\nab", "", true, true},
		{"a part", "Content-Length: 4\r\n\r\nab", "cd", true, false},
		{"nothing", "Content-Length: 4\r\n\r\n", "abcd", false, false},
		{"a chunk", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "0\r\n\r\n", true, false},
		{"a chunk and the end", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "", true, true},
		{"the size of a chunk", "Transfer-Encoding: chunked\r\n\r\n2\r\n", "ab\r\n0\r\n\r\n", false, false},
		{"half a size", "Transfer-Encoding: chunked\r\n\r\n2", "\r\nab\r\n0\r\n\r\n", false, false},
		{"no valid size", "Transfer-Encoding: chunked\r\n\r\nx\r\n", "", true, true},
		{"to the end", "\r\nab", "cd", true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			goOn := make(chan struct{})
			s, o := overTCP(t, Options{}, func(p *peer) {
				p.head()
				p.say("HTTP/1.1 200 OK\r\n" + tc.first)
				<-goOn
				p.say(tc.rest)
			})
			resp, err := o.RoundTrip(s.request("GET", ""))
			require.NoError(t, err)
			defer resp.Body.Close()
			ready, knows := resp.Body.(interface{ Ready() bool })
			require.True(t, knows)
			assert.Equal(t, tc.before, ready.Ready())
			if tc.before && tc.name != "no valid size" {
				b := make([]byte, 2)
				_, _ = io.ReadFull(resp.Body, b)
				assert.Equal(t, "ab", string(b))
				assert.Equal(t, tc.after, ready.Ready())
			}
			close(goOn)
			_, err = io.ReadAll(resp.Body)
			assert.Equal(t, tc.name == "no valid size", err != nil)
		})
	}
}
