//go:build !race

package revalidate

// histories are how many of them TestHistories runs.
const histories = 10_000
