package h2

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"
)

// TestEncoderIsUnderstood, whatever comes again and however the table changes.
func TestEncoderIsUnderstood(t *testing.T) {
	fieldNames := []string{
		"Age", "Cache-Control", "content-type", "Via", "X-Frame-Options", "Set-Cookie", "Server", "X-Unheard-Of",
		"Strict-Transport-Security", "Content-Security-Policy", "ETag", "Vary",
	}
	random := rand.New(rand.NewPCG(1, 2))
	var e encoder
	e.init()
	dec := hpack.NewDecoder(4096, nil)
	indexed := 0
	for range 5000 {
		switch random.IntN(100) {
		case 0:
			e.resize(uint32(random.IntN(300)))
		case 1:
			e.resize(1 << 20) // more than we use
		case 2:
			e.shrink()
		}
		status := []int{200, 206, 304, 404, 500, 299}[random.IntN(6)]
		want := []hpack.HeaderField{{Name: ":status", Value: strconv.Itoa(status)}}
		e.begin(status)
		for range random.IntN(10) {
			name := fieldNames[random.IntN(len(fieldNames))]
			value := strings.Repeat("v", []int{0, 1, 20, 126, 127, 128, 300, 1024, 1025, 5000}[random.IntN(10)]/(1+random.IntN(2))) + strconv.Itoa(random.IntN(2))
			want = append(want, hpack.HeaderField{Name: strings.ToLower(name), Value: value})
			e.add(name, value)
		}
		e.add("Connection", "close")
		got, err := dec.DecodeFull(e.block)
		require.NoError(t, err)
		require.Equal(t, want, got)
		for _, f := range want {
			indexed += len(f.Name) + len(f.Value)
		}
		indexed -= len(e.block)
	}
	assert.Positive(t, indexed, "what comes again is not written again")
}

// TestEncoderSaves: a value that comes in all responses is written out twice,
// and one that never comes again does not push others out of the table.
func TestEncoderSaves(t *testing.T) {
	var e encoder
	e.init()
	policy := strings.Repeat("default-src 'self'; ", 20)
	var sizes []int
	for i := range 100 {
		e.begin(200)
		e.add("Content-Security-Policy", policy)
		e.add("X-Request-Id", strings.Repeat(strconv.Itoa(i), 20))
		e.add("Via", "1.1 "+strconv.Itoa(i))
		sizes = append(sizes, len(e.block))
	}
	assert.Greater(t, sizes[0], len(policy))
	for _, size := range sizes[2:] {
		assert.Less(t, size, 100)
	}
}
