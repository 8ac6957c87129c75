//go:build race

package revalidate

// histories are how many of them TestHistories runs: the race detector makes each
// many times slower.
const histories = 1000
