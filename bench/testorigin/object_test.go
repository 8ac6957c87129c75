package testorigin

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIdentifyKeepsPartsApart(t *testing.T) {
	seen := map[Content]string{}
	for _, p := range [][3]string{
		{"", "", ""}, {"a", "", ""}, {"", "a", ""}, {"", "", "a"}, {"a", "b", ""}, {"ab", "", ""}, {"", "ab", ""}, {"a", "", "b"},
		{"", "/o/1-2", ""}, {"", "/o/12-2", ""}, {"", "/o/1-22", ""}, {"", "/o/1-2", "en"},
	} {
		c := Identify(p[0], p[1], p[2])
		assert.Empty(t, seen[c], "%q", p)
		seen[c] = "taken by " + p[0] + "|" + p[1] + "|" + p[2]
	}
}

func TestETag(t *testing.T) {
	assert.Equal(t, `"ff-20"`, ETag(255, 20, false))
	assert.Equal(t, `"ff-20-gzip"`, ETag(255, 20, true))
}

func TestLanguage(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "*": "en", "de": "de", "DE-ch, en;q=0.5": "de", "fr;q=0.9": "fr", " ja , en": "ja",
		"1": "en", "d e": "en", "averylongword": "en", ",de": "en", "-": "en", "é": "en",
	} {
		assert.Equal(t, want, Language(accept), accept)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=0.5": true, "gzip; q=0.001": true,
		"gzip;q=0": false, "gzip; q=0.000": false, "identity": false, "x-gzip": false, "*": false, "gzip;q=0, gzip": false,
	} {
		assert.Equal(t, want, AcceptsGzip(accept), accept)
	}
}
