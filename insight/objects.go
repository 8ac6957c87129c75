package insight

import (
	"context"
	"time"
)

// Objects looks into the store. Both methods return early, with what they have,
// when the context ends; then the answer is not complete.
type Objects interface {
	// List returns objects whose key contains q, limit at most, in any order.
	List(ctx context.Context, q string, limit int) ObjectList
	// Variants returns what is stored for one key, or nothing.
	Variants(ctx context.Context, key string) []Variant
}

// ObjectList is a part of what is stored.
type ObjectList struct {
	Objects  []Object `json:"objects"`
	Looked   int64    `json:"looked_at"` // objects that were compared
	Complete bool     `json:"complete"`  // there are no others that match
}

// Object is what is stored for one key. Where its variants differ, the figures
// are those of the newest one.
type Object struct {
	Key         string  `json:"key"`
	URL         string  `json:"url"` // to purge, refresh or explain it
	Variants    int     `json:"variants"`
	Bytes       int64   `json:"bytes"` // of memory, for all variants
	Status      int     `json:"status"`
	ContentType string  `json:"content_type"`
	Age         float64 `json:"age_s"`
	TTL         float64 `json:"ttl_s"` // below 0 when it is stale
}

// Variant is one stored response.
type Variant struct {
	Method      string            `json:"method"`
	Status      int               `json:"status"`
	Vary        map[string]string `json:"vary"` // request fields and values that it answers
	Header      [][2]string       `json:"header"`
	Length      int64             `json:"length"` // bytes of content
	Partial     bool              `json:"partial"`
	Stored      time.Time         `json:"stored"`
	Age         float64           `json:"age_s"`
	Lifetime    float64           `json:"lifetime_s"`
	Source      string            `json:"lifetime_source"` // what the lifetime comes from
	Stale       bool              `json:"stale"`
	WhileReval  float64           `json:"stale_while_revalidate_s"`
	IfError     float64           `json:"stale_if_error_s"`
	ETag        string            `json:"etag"`
	Modified    string            `json:"last_modified"`
	Tags        []string          `json:"tags"`
	NoCache     bool              `json:"no_cache"`        // every use is validated
	MustRevalid bool              `json:"must_revalidate"` // it is never used stale
}

// Finding is something about the headers of an origin that costs hits.
type Finding struct {
	Rule    string    `json:"rule"`
	Route   string    `json:"route"`
	Text    string    `json:"text"` // what is wrong, and what to change
	Example string    `json:"example"`
	Count   int64     `json:"count"`
	Misses  int64     `json:"misses"` // that it cost
	Last    time.Time `json:"last"`
}
