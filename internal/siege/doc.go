// Package siege attacks the real cacheproxy with everything at once, and looks at
// what that costs: its memory stays within a bound, clients who ask for what is
// stored are answered meanwhile, and afterwards nothing is left over. It also
// has every origin hang, and asks for what is stored.
//
// All limits of the proxy are at their defaults. The origin is a process of its
// own. There is no code here, only tests, and they need Linux: memory and files
// are read from /proc.
package siege
