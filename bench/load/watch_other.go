//go:build !linux

package load

import (
	"errors"
	"time"
)

// tree is what a process and all its descendants take.
type tree struct {
	rss int64         // bytes
	cpu time.Duration // user and system
}

// watchTree needs Linux.
func watchTree(int) (tree, error) {
	return tree{}, errors.New("memory and CPU of another process can be watched on Linux only")
}

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }
