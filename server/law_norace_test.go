//go:build !race

package server

// sparse is how many inputs of the corpus there are for each that is tried.
const sparse = 1
