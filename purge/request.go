package purge

import (
	"fmt"
	"time"
)

// MostItems bounds what one Request may name.
const MostItems = 10_000

// Request asks for stored responses to be thrown away.
type Request struct {
	URLs       []string    `json:"urls,omitempty"`     // absolute; all variants, of http and https
	Tags       []string    `json:"tags,omitempty"`     // as [Tag]
	Hosts      []string    `json:"hosts,omitempty"`    // as [Host]
	Prefixes   []string    `json:"prefixes,omitempty"` // as [Prefix]: a host and a path, with or without a scheme
	Globs      []string    `json:"globs,omitempty"`    // as [Glob]
	Groups     []GroupName `json:"groups,omitempty"`   // as [Group]
	Everything bool        `json:"everything,omitempty"`
	Soft       bool        `json:"soft,omitempty"`    // stale rather than gone
	DryRun     bool        `json:"dry_run,omitempty"` // only find out what would be hit
	Wait       *bool       `json:"wait,omitempty"`    // until all entries are counted; nil = true

	By  string `json:"-"` // who asks, for the audit
	Via Via    `json:"-"`
}

// GroupName names a cache group (RFC 9875).
type GroupName struct {
	Origin string `json:"origin"` // scheme://host, with the port unless it is the default
	Name   string `json:"name"`
}

// Items returns how many marks are asked for.
func (r *Request) Items() int {
	n := len(r.URLs) + len(r.Tags) + len(r.Hosts) + len(r.Prefixes) + len(r.Globs) + len(r.Groups)
	if r.Everything {
		n++
	}
	return n
}

// Via is the way by which a purge came.
type Via string

// The ways.
const (
	ViaAPI    Via = "api"    // the operators' side
	ViaMethod Via = "method" // PURGE and its like, on the clients' side
	ViaGroup  Via = "group"  // Cache-Group-Invalidation in an answer of the origin
)

// Result is what a purge did, or would do. An entry is a stored response: one of the
// variants of a URL. What several items hit is counted once.
type Result struct {
	Purged   int64    `json:"purged"` // entries that were hit
	Soft     bool     `json:"soft"`
	DryRun   bool     `json:"dry_run,omitempty"`
	Complete bool     `json:"complete"` // all entries were looked at; otherwise more may be found, and none of them is served any more
	Marks    []Marked `json:"marks"`
	Examples []string `json:"examples,omitempty"` // of a dry run: URLs that would be hit
}

// Marked is what one item of a request hit.
type Marked struct {
	Kind    string `json:"kind"`
	Value   string `json:"value,omitempty"`
	Origin  string `json:"origin,omitempty"` // of a group
	Entries int64  `json:"entries"`
}

// Audit tells of a purge, when its entries are counted.
type Audit struct {
	Time     time.Time     `json:"time"`
	By       string        `json:"by"`
	Via      Via           `json:"via"`
	What     string        `json:"what"` // what was asked for, shortened
	Soft     bool          `json:"soft"`
	Entries  int64         `json:"entries"`
	Complete bool          `json:"complete"` // false: the proxy ended before all were counted
	Took     time.Duration `json:"took_ns"`
}

// RequestError says what is wrong with a request.
type RequestError struct{ Text string }

func (e *RequestError) Error() string { return e.Text }

// Errorf returns a *RequestError.
func Errorf(format string, args ...any) error {
	return &RequestError{fmt.Sprintf(format, args...)}
}
