package policy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGlob(t *testing.T) {
	for _, tc := range []struct {
		glob, s string
		want    bool
	}{
		{"", "", true}, {"", "a", false},
		{"a", "a", true}, {"a", "A", false}, {"a", "ab", false}, {"ab", "a", false},
		{"*", "", true}, {"*", "abc", true}, {"**", "", true}, {"a*", "a", true}, {"*a", "ba", true}, {"*a", "ab", false},
		{"?", "a", true}, {"?", "", false}, {"?", "ab", false}, {"a?c", "abc", true}, {"a?*", "a", false}, {"a?*", "ab", true},
		{"a*c", "abbbc", true}, {"a*c", "abbb", false}, {"a*b*c", "axbxc", true}, {"a*b*c", "axcxb", false},
		{"*ab", "aab", true}, {"*aab", "aaaab", true}, {"a*a", "a", false},
		{"utm_*", "utm_source", true}, {"utm_*", "xutm_source", false},
		{"/img/*.png", "/img/a/b.png", true}, {"[a]", "[a]", true}, {"a*", "*", false},
	} {
		assert.Equal(t, tc.want, Glob(tc.glob).Match(tc.s), "%q on %q", tc.glob, tc.s)
	}
	assert.False(t, Glob(strings.Repeat("*a", 50)+"b").Match(strings.Repeat("a", 5000)), "it ends, and soon")
}
