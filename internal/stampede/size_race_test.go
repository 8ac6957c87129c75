//go:build race

package stampede

// bodySize is that of the shared object: the race detector makes each byte many times dearer.
const bodySize = 1 << 20
