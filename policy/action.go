package policy

import "time"

// Action is what is done with a request. The names are the same words in code,
// log, metrics and documents.
type Action uint8

// The actions.
const (
	Pass       Action = iota // straight to the origin, nothing looked up or stored
	Serve                    // the stored response answers
	ServeStale               // the stored response answers although it is stale
	Validate                 // ask the origin whether the stored response still holds
	Fetch                    // ask the origin
	Fail                     // the proxy answers by itself
)

func (a Action) String() string {
	return [...]string{"pass", "serve", "serve-stale", "validate", "fetch", "fail"}[a]
}

// Actions returns all actions.
func Actions() []Action { return []Action{Pass, Serve, ServeStale, Validate, Fetch, Fail} }

// Decision is what [Judge] says about a request.
type Decision struct {
	Action Action
	Reason Reason

	// Index is the stored response that the decision rests on: the one to
	// serve, to validate, or to fall back on when the origin fails; -1 without.
	Index int

	Age     time.Duration // current age of that response (RFC 9111, 4.2.3)
	TTL     time.Duration // its freshness lifetime less its age; negative when stale
	Refresh bool          // ServeStale: a refresh in the background is due

	// Missing is the part to ask the origin for when only a part is stored
	// and the rest would complete the answer; nil to ask for all.
	Missing *ByteRange
}
