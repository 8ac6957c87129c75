package proxytest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// PlayTraced is Play with every request traced, which the outcomes have, and a
// transcript of all answers, but for what chance has a part in.
func PlayTraced(file, text string) (outcomes []proxy.Outcome, transcript string, err error) {
	return play(file, text, true)
}

// Transcript is the transcript of a script that is played without traces.
func Transcript(file, text string) (string, error) {
	_, transcript, err := play(file, text, false)
	return transcript, err
}

func (w *world) handler() http.Handler {
	if !w.traced {
		return w.proxy
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.proxy.ServeTraced(rw, r, new(policy.Trace), nil)
	})
}

func (w *world) hit() func(*proxy.Head, *proxy.Reply) bool {
	if !w.traced {
		return w.proxy.Hit
	}
	return func(*proxy.Head, *proxy.Reply) bool { return false }
}

var boundaries = regexp.MustCompile(`[0-9a-f]{32}`) // of multipart content, and names of requests

// timed are fields that depend on what comes first, the content or its end: how a
// message is framed, and what becomes of its connection.
var timed = map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Connection": true}

// transcript writes down what all clients got, sorted: of clients that ask at the
// same time any may be the first.
func (w *world) transcript() string {
	var all []string
	for _, c := range w.clients {
		c.mu.Lock()
		for _, x := range c.asked {
			var b strings.Builder
			fmt.Fprintf(&b, "%s %s %q %v %v\n", x.version, x.status, x.interims, x.trailer, x.err)
			_ = x.header.WriteSubset(&b, timed)
			body := x.body
			if x.err != nil { // how much more was on its way when it broke is chance
				body = body[:min(len(body), 1000)]
			}
			fmt.Fprintf(&b, "\n%s\n", body)
			all = append(all, boundaries.ReplaceAllString(b.String(), "(random)"))
		}
		c.mu.Unlock()
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
