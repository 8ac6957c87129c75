package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRangesAreThoseOfNginx(t *testing.T) {
	client := newClient(t)
	direct := mustDo(t, client, origin.url(""), get("/static/big.bin"))
	etag, modified := direct.header.Get("Etag"), direct.header.Get("Last-Modified")
	for _, tc := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"single", []string{"Range: bytes=100-199"}, 206},
		{"first byte", []string{"Range: bytes=0-0"}, 206},
		{"across blocks", []string{"Range: bytes=1000000-2000000"}, 206},
		{"open", []string{"Range: bytes=3000000-"}, 206},
		{"end beyond the size", []string{"Range: bytes=3000000-9999999"}, 206},
		{"suffix", []string{"Range: bytes=-500"}, 206},
		{"suffix beyond the size", []string{"Range: bytes=-99999999"}, 206},
		{"multi", []string{"Range: bytes=0-99,1000-1099,-10"}, 206},
		{"multi with one beyond the size", []string{"Range: bytes=0-99,9999999-"}, 206},
		{"beyond the size", []string{"Range: bytes=9999999-"}, 416},
		{"other unit", []string{"Range: lines=1-2"}, 200},
		{"If-Range with the ETag", []string{"Range: bytes=5-9", "If-Range: " + etag}, 206},
		{"If-Range with the date", []string{"Range: bytes=5-9", "If-Range: " + modified}, 206},
		{"If-Range with another ETag", []string{"Range: bytes=5-9", `If-Range: "other"`}, 200},
		{"If-Range with another date", []string{"Range: bytes=5-9", "If-Range: Thu, 01 Jan 2015 00:00:00 GMT"}, 200},
	} {
		a := get("/static/big.bin", tc.headers...)
		t.Run(tc.name, func(t *testing.T) {
			want := mustDo(t, client, origin.url(""), a)
			require.Equal(t, tc.status, want.status)

			p := startProxy(t, origin.url(""))
			cold := mustDo(t, client, p.url(""), a)
			assert.Empty(t, want.differs(cold), "before anything is stored")

			mustDo(t, client, p.url(""), get("/static/big.bin"))
			warm := mustDo(t, client, p.url(""), a)
			assert.Empty(t, want.differs(warm), "from the stored whole")
			assert.True(t, mustCacheStatus(t, warm).hit)
		})
	}
}
