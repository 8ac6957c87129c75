package main

import "fmt"

// problems says what a peer did that its row does not promise.
func problems(p peer, s scenario, sm sample, l load) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if sm.Requests == 0 {
		say("no request was answered")
		return out
	}
	// wrk rounds the number of bytes.
	if whole := float64(objects[s.kind].size); l.bytes < 0.98*whole*float64(l.requests) {
		say("answers have %.0f bytes, the object has %.0f", l.bytes/float64(l.requests), whole)
	}
	if p.role == floor {
		return out
	}
	switch s.want {
	case hits:
		if sm.Origin > 0 {
			say("%d of %d requests that should hit reached the origin", sm.Origin, sm.Requests)
		}
	case passes:
		// Each connection may have had a request under way when the load ended, and so when the one before it did.
		if most := sm.Requests + sm.Bad + 2*int64(s.conns); sm.Origin < sm.Requests || sm.Origin > most {
			say("%d requests that should pass were %d at the origin", sm.Requests, sm.Origin)
		}
	case validates:
		// Those for the same URL at the same moment may share a validation, but they hardly meet.
		if sm.Origin < sm.Requests*99/100 {
			say("of %d requests that should be validated %d were seen by the origin", sm.Requests, sm.Origin)
		}
	}
	return out
}
