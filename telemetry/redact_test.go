package telemetry

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRedacted(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"a=b&c":                          "a=b&c",
		"x=1&Signature=abc&y=2":          "x=1&Signature=REDACTED&y=2",
		"SIG=abc":                        "SIG=REDACTED",
		"sig":                            "sig",
		"X-Goog-Signature=a%3Db&sign=ok": "X-Goog-Signature=REDACTED&sign=ok",
	} {
		assert.Equal(t, want, redacted(in))
	}
}
