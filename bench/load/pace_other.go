//go:build !linux

package load

import "time"

// preciseSleep is as precise as the runtime.
func preciseSleep(d time.Duration) { time.Sleep(d) }
