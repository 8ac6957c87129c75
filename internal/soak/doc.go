// Package soak keeps the real cacheproxy busy for a long time with all that may
// happen to it: hits, misses, validations, ranges and writes; clients that are slow
// and clients that leave; origins that fail and origins that are gone; and changes of
// its configuration, right and wrong. It lasts 20 seconds, or for SOAK_TIME:
//
//	SOAK_TIME=10m SOAK_OUT=bench/results/soak go test -count=1 -timeout 30m -run TestSoak -v ./internal/soak
//
// SOAK_OUT names the folder for soak.json and soak.md, from the root of the module.
//
// The origins are part of the test, and note for every request what they did. No
// request may fail that they did not cause, no body may be wrong, and what the
// process takes of goroutines, files and memory may not grow. There is no code
// here, only tests, and they need Linux: memory and files are read from /proc.
package soak
