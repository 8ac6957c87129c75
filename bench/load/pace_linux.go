package load

import (
	"syscall"
	"time"
)

// preciseSleep sleeps without the runtime, whose timers may be a millisecond
// late when nothing else goes on: that would be taken for latency.
func preciseSleep(d time.Duration) {
	t := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&t, nil) // cut short by a signal: the caller looks at the clock
}
