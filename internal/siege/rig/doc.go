// Package rig runs the real cacheproxy for tests that look at the whole process:
// it builds the binary, starts it in a process of its own, and says what that
// process takes of memory, files and goroutines.
//
// What is not to be measured with it, such as an origin, runs elsewhere: in the
// test, or with [Self] in another process of the test binary.
package rig
