package memory

import "runtime/metrics"

// usage is what the runtime says of its memory, in bytes.
type usage struct {
	cycles uint64 // collections so far
	live   int64  // of the heap, as the last collection has found it
	fixed  int64  // what is not heap: stacks, and what the runtime needs for itself
}

// The names of the runtime, in the order in which readUsage takes them.
var names = [...]string{
	"/gc/cycles/total:gc-cycles",
	"/gc/heap/live:bytes",
	"/memory/classes/total:bytes",
	"/memory/classes/heap/released:bytes",
	"/memory/classes/heap/objects:bytes",
	"/memory/classes/heap/free:bytes",
	"/memory/classes/heap/unused:bytes",
}

func readUsage() usage {
	var samples [len(names)]metrics.Sample
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples[:])
	var v [len(names)]int64
	for i, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			v[i] = int64(s.Value.Uint64())
		}
	}
	return usage{cycles: uint64(v[0]), live: v[1], fixed: v[2] - v[3] - v[4] - v[5] - v[6]}
}
