//go:build linux

package siege

import (
	"fmt"
	"os"
	"testing"

	"cacheproxy/internal/siege/rig"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(originAddr); addr != "" {
		fmt.Fprintln(os.Stderr, "origin:", beOrigin(addr))
		os.Exit(1)
	}
	code := m.Run()
	rig.Clean()
	os.Exit(code)
}
