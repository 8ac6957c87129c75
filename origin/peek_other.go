//go:build !unix

package origin

// peek cannot look here.
func (c *conn) peek(uintptr) { c.quiet = true }
