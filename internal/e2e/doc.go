// Package e2e tests the built cacheproxy binary as its users run it: before a
// real nginx, driven over loopback sockets, signals and files. It holds no
// code of its own.
//
// TestMain builds the binary, installs Debian's nginx when there is none, and
// starts one nginx for all tests; every test starts a proxy of its own, so no
// test sees what another one stored. Each answer of nginx carries a fresh
// X-Origin-Request, which tells a stored answer from a new one without
// believing the proxy.
package e2e
