package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cacheproxy/policy"
)

// logFilter chooses among requests; what is empty fits all.
type logFilter struct {
	reason   string // of the decision, or why the response was not stored
	action   string
	statuses []statusRange
	host     string      // without port, small letters
	url      policy.Glob // of host and target
}

// statusRange is a range of status codes, both ends included.
type statusRange struct{ first, last int }

// check says what is wrong with words that no request has.
func (f *logFilter) check() error {
	if f.action != "" && !slices.ContainsFunc(policy.Actions(), func(a policy.Action) bool { return a.String() == f.action }) {
		var words []string
		for _, a := range policy.Actions() {
			words = append(words, a.String())
		}
		return usageError{fmt.Errorf("--action: %q is not one of %s", f.action, strings.Join(words, ", "))}
	}
	if f.reason != "" && !slices.ContainsFunc(policy.Reasons(), func(r policy.Reason) bool { return r.String() == f.reason }) {
		return usageError{fmt.Errorf("--reason: %q is no reason; docs/reasons.md lists them", f.reason)}
	}
	return nil
}

// parseStatuses reads a list as 404,5xx,500-599.
func parseStatuses(list string) (all []statusRange, err error) {
	if list == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		low, high, ranged := strings.Cut(word, "-")
		if class, ok := strings.CutSuffix(low, "xx"); ok && len(class) == 1 && !ranged {
			low, high = class+"00", class+"99"
		} else if !ranged {
			high = low
		}
		first, err := strconv.Atoi(low)
		last, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || first < 0 || last > 999 || first > last {
			return nil, usageError{fmt.Errorf("--status: %q is not understood; write 404, 5xx or 500-599, and commas between several", word)}
		}
		all = append(all, statusRange{first, last})
	}
	return all, nil
}

func (f *logFilter) fits(r *loggedRequest) bool {
	switch {
	case f.reason != "" && f.reason != r.Reason && f.reason != r.Refused,
		f.action != "" && f.action != r.Action,
		f.host != "" && f.host != strings.ToLower(hostOf(r.Host)),
		f.url != "" && !f.url.Match(r.Host+r.URI):
		return false
	}
	return len(f.statuses) == 0 || slices.ContainsFunc(f.statuses, func(s statusRange) bool { return s.first <= r.Status && r.Status <= s.last })
}

// hostOf is a host without its port.
func hostOf(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}
