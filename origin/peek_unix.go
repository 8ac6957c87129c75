//go:build unix

package origin

import "syscall"

// peek looks without waiting, as the descriptor does not block.
func (c *conn) peek(fd uintptr) {
	for {
		n, _, err := syscall.Recvfrom(int(fd), c.waste[:], syscall.MSG_PEEK)
		if err != syscall.EINTR {
			c.quiet = err == syscall.EAGAIN
			c.ended = !c.quiet && n <= 0
			return
		}
	}
}
