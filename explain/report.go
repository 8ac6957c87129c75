package explain

import (
	"encoding/json"
	"strings"
	"time"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// Report explains a request. It survives being written as JSON and read again.
type Report struct {
	URL     string   `json:"url"`
	Method  string   `json:"method"`
	Answers []Answer `json:"answers"` // one; two when it was asked for twice
}

// Answer is one request and what came of it.
type Answer struct {
	RequestID string    `json:"request_id"`
	Time      time.Time `json:"time"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	URI       string    `json:"uri"`
	Key       string    `json:"key,omitempty"`
	Route     string    `json:"route,omitempty"`

	Status    int      `json:"status"`
	Action    string   `json:"action"`
	Reason    string   `json:"reason"`
	Meaning   string   `json:"meaning"`           // of the reason
	Refused   string   `json:"refused,omitempty"` // why the response was not stored
	Result    string   `json:"result,omitempty"`  // as in X-Cache-Status: HIT, MISS, ...
	From      string   `json:"from"`              // cache, origin or proxy
	IsStored  bool     `json:"is_stored"`
	Collapsed bool     `json:"collapsed,omitempty"` // another request brought the answer
	FwdStatus int      `json:"fwd_status,omitempty"`
	Target    string   `json:"target,omitempty"`
	Error     string   `json:"error,omitempty"` // type of the origin's failure (RFC 9209, 2.3)
	TTL       float64  `json:"ttl"`             // seconds; negative when stale
	Bytes     int64    `json:"bytes"`
	Aborted   bool     `json:"aborted,omitempty"`
	Cut       bool     `json:"cut,omitempty"`    // the content was longer than is read here, see MostBody and MostTime
	Duration  float64  `json:"duration"`         // seconds
	Origin    float64  `json:"origin_time"`      // seconds
	Steps     []Step   `json:"steps"`            // in their order
	Left      int      `json:"left_out"`         // steps beyond what a trace holds
	Stored    []Facts  `json:"stored,omitempty"` // under the key, afterwards
	Advice    []string `json:"advice"`
}

// Step is a step of the trace.
type Step struct {
	Stage    string          `json:"stage"`
	Code     string          `json:"code"`
	Reason   string          `json:"reason,omitempty"`
	Clause   string          `json:"clause,omitempty"`
	Sentence string          `json:"sentence"`
	Values   json.RawMessage `json:"values"`
}

// Facts are what is known of a stored response. Times are in seconds.
type Facts struct {
	Method               string   `json:"method"`
	Status               int      `json:"status"`
	Age                  float64  `json:"age"`
	Lifetime             float64  `json:"lifetime"`
	Source               string   `json:"source"` // of the lifetime
	TTL                  float64  `json:"ttl"`
	NoCache              bool     `json:"no_cache,omitempty"`
	MustRevalidate       bool     `json:"must_revalidate,omitempty"`
	Immutable            bool     `json:"immutable,omitempty"`
	StaleWhileRevalidate float64  `json:"stale_while_revalidate"`
	StaleIfError         float64  `json:"stale_if_error"`
	ETag                 string   `json:"etag,omitempty"`
	LastModified         string   `json:"last_modified,omitempty"`
	Vary                 []string `json:"vary,omitempty"`
	Partial              bool     `json:"partial,omitempty"`
}

// NewAnswer copies what an outcome says, its trace included.
func NewAnswer(o *proxy.Outcome) Answer {
	a := Answer{
		RequestID: strings.Clone(o.RequestID), Time: o.Start, Method: strings.Clone(o.Method), Host: cut(o.Host), URI: cut(o.URI),
		Key: strings.Clone(o.Key), Route: strings.Clone(o.Route),
		Status: o.Status, Action: o.Action.String(), Reason: o.Reason.String(), Meaning: o.Reason.Info().Text,
		Result: o.CacheResult(), From: o.From(), IsStored: o.Stored, Collapsed: o.Collapsed,
		FwdStatus: o.FwdStatus, Target: strings.Clone(o.Target), Error: strings.Clone(o.Error), Bytes: o.Bytes, Aborted: o.Aborted,
		Duration: o.Duration.Seconds(), Origin: o.OriginTime.Seconds(), Advice: Advice(o),
	}
	if o.Refused != policy.ReasonNone {
		a.Refused = o.Refused.String()
	}
	if o.HasTTL {
		a.TTL = o.TTL.Seconds()
	}
	a.Steps, a.Left = newSteps(o.Trace)
	return a
}

// mostText is how many bytes of a host or target are kept.
const mostText = 2048

func cut(s string) string {
	if len(s) > mostText {
		return s[:mostText] + "..."
	}
	return strings.Clone(s)
}

func newSteps(t *policy.Trace) (all []Step, left int) {
	steps, left := t.Steps()
	all = make([]Step, 0, len(steps))
	for _, s := range steps {
		var out Step
		text, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(text, &out)
		}
		if err != nil { // a fact of a type that policy.Value does not name
			out = Step{Stage: s.Code.Info().Stage.String(), Code: s.Code.String(), Sentence: s.Sentence(), Values: json.RawMessage("{}")}
		}
		all = append(all, out)
	}
	return all, left
}

func newStored(s *policy.Stored, now time.Time) Facts {
	f := Facts{
		Method: s.Method, Status: s.Status, Age: s.Age(now).Seconds(), Lifetime: s.Lifetime.Seconds(), Source: s.Source.String(),
		TTL: (s.Lifetime - s.Age(now)).Seconds(), NoCache: s.NoCache, MustRevalidate: s.MustRevalidate, Immutable: s.Immutable,
		StaleWhileRevalidate: s.StaleWhileRevalidate.Seconds(), StaleIfError: s.StaleIfError.Seconds(),
		ETag: s.ETag, Vary: s.Vary, Partial: s.Partial != nil,
	}
	if !s.LastModified.IsZero() {
		f.LastModified = s.LastModified.UTC().Format(time.RFC3339)
	}
	return f
}

// Advice says what to change to get another result, or why there is nothing to
// change: first for what kept the response from being stored, then for the decision.
func Advice(o *proxy.Outcome) []string {
	var all []string
	add := func(s string) {
		if s != "" {
			all = append(all, s)
		}
	}
	asked := o.Action == policy.Fetch || o.Action == policy.Validate
	stored := asked && o.Stored && !o.Aborted // of what broke off here it is not known yet
	switch {
	case stored && o.Trace.Has(policy.StepValidated):
		add("It is stored now, and every use of it is validated with the origin.")
	case stored && o.TTL > 0:
		add("It is stored now: for the next " + policy.Span(o.TTL) + " this request is a hit.")
	case stored:
		add("It is stored now, but stale already: the next request has it validated, or gets it while it is refreshed.")
	case asked && o.Refused != policy.ReasonNone:
		add(o.Refused.Advice())
		if o.Reason.Info().Group == policy.GroupFetch && o.Action == policy.Fetch {
			return all // that it was not there follows from that it is not stored
		}
	case o.Action == policy.Pass && (o.Reason == policy.Method || o.Refused == policy.Incomplete): // other passes are stored by no rule
		add(o.Refused.Advice())
	}
	add(o.Reason.Advice())
	return all
}
