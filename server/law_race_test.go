//go:build race

package server

// sparse is how many inputs of the corpus there are for each that is tried: the
// race detector makes all that ten times slower, and needs fewer of them.
const sparse = 12
