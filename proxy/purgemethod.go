package proxy

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"cacheproxy/policy"
	"cacheproxy/purge"
)

// purgeMethods are the methods that purge: PURGE a URL or, with a field that names
// tags, what has these; the other two, of FOSHttpCache, are for tags only.
var purgeMethods = map[string]bool{"PURGE": true, "PURGEKEYS": true, "PURGETAGS": true}

// purgeWait is how long a PURGE waits until all entries are counted.
const purgeWait = 30 * time.Second

// purgeFields are the request fields that name tags to purge, in use with Varnish
// (xkey), Fastly, Cloudflare and FOSHttpCache.
var purgeFields = []struct {
	policy.TagField
	soft bool
}{
	{policy.TagField{Name: "Xkey", Separators: " \t,"}, false},
	{policy.TagField{Name: "Xkey-Purge", Separators: " \t,"}, false},
	{policy.TagField{Name: "Xkey-Softpurge", Separators: " \t,"}, true},
	{policy.TagField{Name: "Surrogate-Key", Separators: " \t"}, false},
	{policy.TagField{Name: "Cache-Tag", Separators: ","}, false},
	{policy.TagField{Name: "Cache-Tags", Separators: ","}, false},
	{policy.TagField{Name: "X-Cache-Tags", Separators: ","}, false},
	{policy.TagField{Name: "Edge-Cache-Tag", Separators: ","}, false},
	{policy.TagField{Name: "Cdn-Tag", Separators: ","}, false},
}

// purge answers a request that purges. It is never passed on. What is not there is
// no error, as with Varnish and Fastly, and unlike with Squid: that it is gone is
// what was asked for.
func (x *exchange) purge() {
	if !x.c.mayPurge(x.r) {
		x.fail(policy.PurgeForbidden)
		return
	}
	hard, soft := purgeTags(x.r.Header)
	if len(x.r.Header["Fastly-Soft-Purge"]) > 0 { // whatever its value
		hard, soft = nil, append(soft, hard...)
	}
	if len(hard)+len(soft) > 0 {
		x.answerPurge(hard, soft)
		return
	}
	if x.r.Method != "PURGE" {
		x.fail(policy.BadRequest)
		return
	}
	if why := x.accept(); why != policy.ReasonNone {
		x.fail(why)
		return
	}
	items := []purgeItem{x.c.urlItem(x.target)}
	if len(x.r.Header["Fastly-Soft-Purge"]) > 0 {
		x.answerPurge(nil, items)
		return
	}
	x.answerPurge(items, nil)
}

// purgeTags returns the tags that a request names, to be purged hard and softly.
func purgeTags(h http.Header) (hard, soft []purgeItem) {
	for _, f := range purgeFields {
		for _, tag := range f.SplitTags(h[f.Name]) {
			if item := newItem(purge.Tag, tag, tag); f.soft {
				soft = append(soft, item)
			} else {
				hard = append(hard, item)
			}
		}
	}
	return hard, soft
}

// answerPurge purges, and says how many entries that hit.
func (x *exchange) answerPurge(hard, soft []purgeItem) {
	x.o.Action, x.o.Reason, x.o.Status = policy.Fail, policy.Purge, http.StatusOK
	ctx, cancel := context.WithTimeout(x.r.Context(), purgeWait)
	defer cancel()
	answer := struct {
		Status   string `json:"status"`
		Purged   int64  `json:"purged"`
		Soft     bool   `json:"soft"`
		Complete bool   `json:"complete"`
	}{"ok", 0, len(hard) == 0, true}
	for _, part := range []struct {
		items []purgeItem
		soft  bool
	}{{hard, false}, {soft, true}} {
		if len(part.items) == 0 {
			continue
		}
		rq := purge.Request{Soft: part.soft, By: x.r.RemoteAddr, Via: purge.ViaMethod}
		result, _ := x.p.purge(ctx, &rq, part.items) // only a dry run fails
		answer.Purged += result.Purged
		answer.Complete = answer.Complete && result.Complete
	}
	body, _ := json.Marshal(answer)
	body = append(body, '\n')
	x.deadline()
	h := x.w.Header()
	h["Via"] = []string{"1.1 " + x.c.Token}
	h["X-Request-Id"] = []string{x.o.RequestID}
	h["Cache-Control"] = []string{"no-store"}
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.w.WriteHeader(http.StatusOK)
	n, _ := x.w.Write(body)
	x.o.Bytes = int64(n)
}

// mayPurge reports whether a client may purge. One that has come through another
// proxy is judged by all addresses on its way: that the last of them is a neighbour
// says nothing about the first. Nor may a web page that somebody at an allowed address
// looks at, whose name may lead here (DNS rebinding): browsers, and no tools that purge,
// send these fields.
func (c *Config) mayPurge(r *http.Request) bool {
	if len(r.Header["Origin"])+len(r.Header["Sec-Fetch-Site"]) > 0 {
		return false
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !within(c.PurgeFrom, ap.Addr()) {
		return false
	}
	way := r.Header["X-Forwarded-For"]
	if len(way)+len(r.Header["Forwarded"])+len(r.Header["Via"]) == 0 {
		return true
	}
	for member := range strings.SplitSeq(strings.Join(way, ","), ",") {
		addr, err := netip.ParseAddr(strings.TrimSpace(member))
		if err != nil || !within(c.PurgeFrom, addr) {
			return false
		}
	}
	return true
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap()
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}
