package proxytest

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strconv"
	"strings"

	"cacheproxy/proxy"
)

// expects holds the columns from "expect" on against an exchange. complete
// says that the answer must have ended well unless they say otherwise.
func (x *exchange) expects(cols []string, w *world, complete bool) error {
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	f := func(name string) []string { return x.facts(name, w) }
	want := strings.TrimSpace(strings.TrimPrefix(cols[0], "expect"))
	if want != "" && want != x.status {
		got := x.status
		if got == "" {
			got = "no answer"
			if x.err != nil {
				got += ": " + x.err.Error()
			}
		}
		return fmt.Errorf("expected status %s, got %s%s", want, got, x.summary())
	}
	expanded := make([]string, len(cols)-1)
	for i, col := range cols[1:] {
		expanded[i] = w.expand(col)
	}
	if err := check(expanded, f); err != nil {
		return fmt.Errorf("%w%s", err, x.summary())
	}
	told := slices.Contains(cols, "broken") || slices.Contains(cols, "waiting") || slices.Contains(cols, "unfinished")
	if complete && !told && x.err != nil {
		return fmt.Errorf("expected a complete answer, got %d bytes of body, then: %w", len(x.body), x.err)
	}
	return nil
}

// summary shows what was received, to make sense of an unmet expectation.
func (x *exchange) summary() string {
	if x.status == "" {
		return ""
	}
	var b strings.Builder
	_ = x.header.Write(&b)
	return "\n    " + x.status + "\n    " + strings.ReplaceAll(b.String(), "\r\n", "\n    ") + short(string(x.body))
}

// facts are what assertions about an answer can name. The caller holds c.mu.
func (x *exchange) facts(name string, w *world) []string {
	when := func(is bool) []string {
		if is {
			return []string{"true"}
		}
		return nil
	}
	if t, ok := strings.CutPrefix(name, "trailer."); ok {
		return x.trailer.Values(t)
	}
	switch name {
	case "waiting":
		return when(x.status == "" && !x.ended)
	case "unfinished":
		return when(x.status != "" && !x.ended)
	case "broken":
		return when(x.ended && x.err != nil)
	case "closed":
		return when(x.c.closed)
	case "version":
		return []string{x.version}
	case "interim":
		return x.interims
	case "body", "bytes":
		if x.status == "" {
			return nil
		}
		return []string{string(x.body)}
	case "parts":
		return parts(x.header.Get("Content-Type"), x.body)
	}
	if about, ok := outcomeFacts[name]; ok {
		if o := w.outcome(x.c.addr, x.number); o != nil {
			return about(o)
		}
		return []string{"(no outcome yet)"}
	}
	return x.header.Values(name)
}

// outcomeFacts are the names that are about the outcome of a request.
var outcomeFacts = map[string]func(*proxy.Outcome) []string{
	"action":    func(o *proxy.Outcome) []string { return []string{o.Action.String()} },
	"reason":    func(o *proxy.Outcome) []string { return []string{o.Reason.String()} },
	"refused":   func(o *proxy.Outcome) []string { return unless(o.Refused == 0, o.Refused.String()) },
	"result":    func(o *proxy.Outcome) []string { return unless(o.CacheResult() == "", o.CacheResult()) },
	"stored":    func(o *proxy.Outcome) []string { return unless(!o.Stored, "true") },
	"collapsed": func(o *proxy.Outcome) []string { return unless(!o.Collapsed, "true") },
	"aborted":   func(o *proxy.Outcome) []string { return unless(!o.Aborted, "true") },
	"key":       func(o *proxy.Outcome) []string { return unless(o.Key == "", o.Key) },
	"route":     func(o *proxy.Outcome) []string { return unless(o.Route == "", o.Route) },
	"target":    func(o *proxy.Outcome) []string { return unless(o.Target == "", o.Target) },
	"error":     func(o *proxy.Outcome) []string { return unless(o.Error == "", o.Error) },
	"from":      func(o *proxy.Outcome) []string { return []string{o.From()} },
	"logged":    func(o *proxy.Outcome) []string { return []string{strconv.Itoa(o.Status)} },
	"sent":      func(o *proxy.Outcome) []string { return []string{strconv.FormatInt(o.Bytes, 10)} },
	"fwd-status": func(o *proxy.Outcome) []string {
		return unless(o.FwdStatus == 0, strconv.Itoa(o.FwdStatus))
	},
}

func unless(absent bool, value string) []string {
	if absent {
		return nil
	}
	return []string{value}
}

// parts lists the parts of a multipart/byteranges body as "Content-Range
// Content-Type content"; nil if it is not well-formed.
func parts(contentType string, body []byte) []string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/byteranges" {
		return nil
	}
	var all []string
	for r := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			return nil
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil
		}
		all = append(all, p.Header.Get("Content-Range")+" "+p.Header.Get("Content-Type")+" "+string(content))
	}
}
