package policy

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every reason has an advice, and what it names in backquotes exists.
func TestAdvice(t *testing.T) {
	text, err := os.ReadFile("../docs/config.md")
	require.NoError(t, err)
	documented := map[string]bool{"": true}
	for _, name := range regexp.MustCompile(`(?m)^#+ .*$|^[a-z_. ]+:|[a-z_]+\.[a-z_]+|^\| \x60[a-z_.]+`).FindAllString(string(text), -1) {
		for word := range strings.FieldsSeq(strings.Trim(name, "#|: `")) {
			documented[word] = true
		}
	}
	isKey := regexp.MustCompile(`^[a-z]+(_[a-z]+)*(\.[a-z_]+)?(:|$)`)
	headers := map[string]bool{
		"no-store": true, "no-cache": true, "private": true, "public": true, "s-maxage": true, "must-revalidate": true,
		"must-understand": true, "immutable": true, "max-age": true, "min-fresh": true, "only-if-cached": true,
	}
	for _, r := range Reasons() {
		assert.NotEmpty(t, r.Advice(), r.String())
		assert.Regexp(t, `\.$`, r.Advice(), r.String())
		for _, quoted := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(r.Advice(), -1) {
			key := strings.TrimSuffix(isKey.FindString(quoted[1]), ":")
			assert.True(t, headers[quoted[1]] || documented[key], "%s names %q, which docs/config.md does not have", r, quoted[1])
		}
	}
	assert.Empty(t, ReasonNone.Advice())
	assert.False(t, documented["cache.polish"], "this check can fail")
}
