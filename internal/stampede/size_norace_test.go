//go:build !race

package stampede

// bodySize is that of the shared object.
const bodySize = 10 << 20
