//go:build linux

package soak

import (
	"os"
	"testing"

	"cacheproxy/internal/siege/rig"
)

func TestMain(m *testing.M) {
	code := m.Run()
	rig.Clean()
	os.Exit(code)
}
