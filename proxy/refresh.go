package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// RefreshResult is what became of a URL that was to be fetched anew.
type RefreshResult struct {
	URL      string           `json:"url"`
	Fresh    bool             `json:"fresh,omitempty"` // what is stored can be served: the origin was not asked
	Variants []RefreshVariant `json:"variants,omitempty"`
}

// RefreshVariant is what became of one of its variants.
type RefreshVariant struct {
	Fields  map[string]string `json:"fields,omitempty"` // of the request, by which the stored ones vary; of secret ones no value
	Status  int               `json:"status,omitempty"` // that the origin answered
	Stored  bool              `json:"stored"`
	Reason  string            `json:"reason,omitempty"` // why it is not stored: a name of docs/reasons.md
	Error   string            `json:"error,omitempty"`  // why there is no new response
	Bytes   int64             `json:"bytes"`            // of content that arrived
	Seconds float64           `json:"seconds"`          // that it took
}

// RefreshURL asks the origin for a URL as a client sees it, whatever is stored, and
// stores what comes. All variants that are stored are asked for, each with the fields
// of a request that selects it; without any, the URL is asked for once. header is sent
// along; to the origin the request comes from 127.0.0.1. Clients get the old response
// until the new one is complete, and go on getting it when that cannot be stored.
//
// The error says why the URL cannot be refreshed at all; what went wrong with a variant
// is in the result.
func (p *Proxy) RefreshURL(ctx context.Context, url string, header http.Header) (RefreshResult, error) {
	result := RefreshResult{URL: url}
	x, err := p.accepted(ctx, url, header, false)
	if err != nil {
		return result, err
	}
	if _, stored := p.fetcher.Lookup(x.key); len(stored) == 0 {
		// An operator may not know which scheme a terminator of TLS in front makes of it.
		twin, err := p.accepted(ctx, url, header, true)
		if _, stored := p.fetcher.Lookup(twin.key); err == nil && len(stored) > 0 {
			x = twin
		}
	}
	for _, v := range x.variants() {
		if ctx.Err() != nil {
			return result, ctx.Err()
		}
		result.Variants = append(result.Variants, x.refresh(ctx, v))
	}
	return result, nil
}

// WarmURL asks the origin for a URL as a client sees it, with the fields of header,
// unless what is stored can be served without asking.
func (p *Proxy) WarmURL(ctx context.Context, url string, header http.Header) (RefreshResult, error) {
	result := RefreshResult{URL: url}
	x, err := p.accepted(ctx, url, header, false)
	if err != nil {
		return result, err
	}
	stored := x.lookup()
	x.decision = policy.Judge(x.facts, stored, time.Now())
	switch x.decision.Action {
	case policy.Serve, policy.ServeStale:
		result.Fresh = true
	case policy.Fail:
		return result, fmt.Errorf("%s: %s", url, x.decision.Reason.Info().Text)
	default:
		result.Variants = []RefreshVariant{x.ask(ctx, x.wholeJob())}
	}
	return result, nil
}

// wholeJob is a job for all there is, as the decision says.
func (x *exchange) wholeJob() *revalidate.Job {
	x.decision.Missing = nil
	return x.refreshJob()
}

// refresh asks the origin for a variant.
func (x *exchange) refresh(ctx context.Context, v variant) RefreshVariant {
	if v.cannot != "" {
		return RefreshVariant{Fields: v.shown(), Error: v.cannot}
	}
	own := x.again(v.header)
	own.decision = policy.Judge(own.facts, own.lookup(), time.Now())
	own.decision.Action = policy.Fetch
	j := own.wholeJob()
	j.Alone, j.Anew = true, true
	result := own.ask(ctx, j)
	if i := own.decision.Index; result.Stored && i >= 0 {
		// Where Vary is another one now, the new response is stored beside the old.
		x.p.fetcher.Drop(x.key, own.resource.Entries[i])
	}
	result.Fields = v.shown()
	return result
}

// ask lets the fetcher do a job and waits for all that comes of it.
func (x *exchange) ask(ctx context.Context, j *revalidate.Job) (v RefreshVariant) {
	start := time.Now()
	defer func() { v.Seconds = time.Since(start).Seconds() }()
	if !x.enter() {
		v.Error = policy.Overloaded.Info().Text
		return v
	}
	defer x.leave()
	a, err := x.p.fetcher.Do(ctx, j)
	var failure *revalidate.Failure
	switch {
	case errors.As(err, &failure) && failure.Reason == policy.StaleIfError:
		v.Status, v.Error = failure.Status, "the origin answered with an error: what is stored stays"
		return v
	case errors.As(err, &failure):
		v.Status, v.Reason, v.Error = failure.Status, failure.Reason.String(), failure.Reason.Info().Text
		return v
	case err != nil:
		v.Error = err.Error()
		return v
	}
	v.Status, v.Stored = a.FwdStatus, a.Stored
	if a.Entry == nil { // not confirmed, nor brought by somebody else meanwhile
		if v.Bytes, err = readAnswer(ctx, a); err != nil {
			v.Stored, v.Error = false, "the body broke off: "+err.Error()
			return v
		}
	}
	why := a.Refused
	if a.Stored && a.Late != nil {
		why = a.Late()
	}
	if why != policy.ReasonNone {
		v.Stored, v.Reason = false, why.String()
	}
	return v
}

// readAnswer reads a body that is stored to its end, when it is in the store. Of
// another one nothing is wanted.
func readAnswer(ctx context.Context, a *revalidate.Answer) (n int64, err error) {
	defer a.Body.Close()
	for a.Stored {
		b, err := a.Body.Next(ctx)
		n += int64(len(b))
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return 0, nil
}

// variant is a request for one of the stored variants.
type variant struct {
	header http.Header // the whole one
	fields map[string]string
	cannot string // why it cannot be asked for
}

// shown are the fields without what is a secret of the client that sent them.
func (v *variant) shown() map[string]string {
	for name := range v.fields {
		if policy.Secret(name) {
			v.fields[name] = "(not shown)"
		}
	}
	return v.fields
}

// variants are the requests for all variants that are stored, or the request as it is.
func (x *exchange) variants() (all []variant) {
	_, stored := x.p.fetcher.Lookup(x.key)
	for i, s := range stored {
		known := false
		for _, other := range stored[:i] { // of a GET and a HEAD, and of parts
			known = known || policy.SameVariant(other, s)
		}
		if !known {
			all = append(all, x.variant(s))
		}
	}
	if len(all) == 0 {
		all = []variant{{header: x.r.Header}}
	}
	return all
}

// variant makes a request that selects a stored response, of the values that the
// fields had in their normal form.
func (x *exchange) variant(s *policy.Stored) variant {
	v := variant{header: x.r.Header.Clone(), fields: make(map[string]string, len(s.Vary))}
	for i, name := range s.Vary {
		delete(v.header, name)
		value, is := policy.FieldOf(s.VaryValues[i])
		if !is {
			continue
		}
		v.fields[name] = value
		if ours[name] {
			v.cannot = fmt.Sprintf("it varies by %s, which cannot be asked for", name)
		}
		v.header[name] = []string{value}
	}
	if v.cannot == "" && !s.Matches(v.header) {
		v.cannot = "no request can be made that selects it: " + strings.Join(s.Vary, ", ")
	}
	return v
}
