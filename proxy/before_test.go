package proxy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBefore(t *testing.T) {
	names := []string{"A", "Age", "Ages", "Cache-Control", "Cache-Status", "Content", "Content-Length", "Via", "X-Cache", "X-Cache-Status", "Z"}
	for _, name := range names {
		for _, other := range names {
			assert.Equal(t, name < other, before(name, other+": value\r\n"), "%s before %s", name, other)
		}
	}
}
