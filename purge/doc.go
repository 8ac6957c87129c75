// Package purge has the words for throwing stored responses away: marks, and what
// is asked and told about them.
//
// A [Mark] says which responses it hits, and since when; [Marks] are those in force.
// A response is hit by a mark when its exchange with the origin was requested not
// after the time of the mark. A hard mark makes it as good as gone; a soft one ends
// its freshness.
//
// # Scope
//
// Nothing is deleted or served here, and nothing stored but a [Journal]: package
// revalidate applies marks, and package proxy makes them of a [Request].
package purge
