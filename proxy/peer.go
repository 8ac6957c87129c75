package proxy

import (
	"net/netip"
	"slices"
)

// PeerNetwork returns what a peer is counted as: its IPv4 address, or its IPv6
// network of 64 bits, since who has one address of that has all of them. It is zero
// for a peer that is trusted: it speaks for many clients.
func PeerNetwork(addr netip.Addr, trusted []netip.Prefix) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	if slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return netip.Prefix{}
	}
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // zero for the zero address
	return p
}
