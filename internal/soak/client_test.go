//go:build linux

package soak

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// patience is what an answer may take, with a new try at an origin that is gone.
const patience = 30 * time.Second

// clients of all ways.
const clients = 28

// way is how clients speak to the proxy.
type way struct {
	name    string
	scheme  string // of the URL, and so of the key: what is changed by one is not by the other
	clients int
	http    *http.Client
}

func (w *world) newWays() []*way {
	plain, secure := "http://"+w.proxy.Addr, "https://"+w.tlsAddr
	ways := []*way{
		{name: "HTTP/1.1", scheme: plain, clients: clients / 4},
		{name: "HTTP/1.1 over TLS", scheme: secure, clients: clients / 4},
		{name: "HTTP/2", scheme: secure, clients: clients / 4},
		{name: "HTTP/2 in clear", scheme: plain, clients: clients / 4},
	}
	for _, way := range ways {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(strings.HasPrefix(way.name, "HTTP/1.1"))
		protocols.SetHTTP2(way.name == "HTTP/2")
		protocols.SetUnencryptedHTTP2(way.name == "HTTP/2 in clear")
		way.http = &http.Client{Timeout: patience, Transport: &http.Transport{
			Protocols: protocols, DisableCompression: true, MaxIdleConnsPerHost: way.clients,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // made for this test, and nobody knows its CA
		}}
	}
	return ways
}

// client asks one thing after the other.
type client struct {
	*world
	*way
	*rand.Rand
}

// question is a request, and what its answer may be.
type question struct {
	kind    string // what it counts as
	origin  *origin
	method  string // GET if empty
	path    string
	fields  []string // name, value, ...
	content string   // empty = none
	chunked bool
	want    []int // statuses; 200 if empty
}

type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// ask makes a request. When there is no good answer, ok is false, and it has been
// found out whether the origin is to blame.
func (c *client) ask(q question) (a answer, ok bool) {
	e := c.ledger.begin()
	defer c.ledger.end(e)
	r := c.request(c.ctx, q, e)
	resp, err := c.http.Do(r)
	if err != nil {
		c.failed(q, e, err.Error())
		return a, false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		c.failed(q, e, fmt.Sprintf("%d, and its body broke off after %d bytes: %s", resp.StatusCode, len(body), err))
		return a, false
	case !q.wants(resp.StatusCode):
		c.failed(q, e, fmt.Sprintf("%s; Proxy-Status: %s; %.300s", resp.Status, resp.Header.Get("Proxy-Status"), body))
		return a, false
	}
	c.tally.good(c.way.name, q.kind, resp.Header.Get("Cache-Status"), time.Since(e.start))
	return answer{resp.StatusCode, resp.Header, string(body), time.Since(e.start)}, true
}

func (c *client) request(ctx context.Context, q question, e *entry) *http.Request {
	var content io.Reader
	if q.content != "" {
		content = strings.NewReader(q.content)
		if q.chunked {
			content = io.MultiReader(content) // whose length nobody knows
		}
	}
	r, err := http.NewRequestWithContext(ctx, q.method, c.scheme+q.path, content)
	if err != nil {
		c.Errorf("%+v: %s", q, err)
	}
	r.Host = q.origin.name
	r.Header.Set(idField, e.id)
	for i := 0; i+1 < len(q.fields); i += 2 {
		r.Header.Set(q.fields[i], q.fields[i+1])
	}
	return r
}

func (q question) wants(status int) bool {
	if len(q.want) == 0 {
		return status == http.StatusOK
	}
	for _, s := range q.want {
		if s == status {
			return true
		}
	}
	return false
}

// failed finds out who is to blame for a failed request.
//
// It is the origin when it said so itself; when what was under way broke off as it
// went away; or when somebody else's trouble with it, at the same time or shortly
// before, is what this request has heard of: the same fetch, or an origin that is
// left alone for some seconds. Otherwise the proxy is.
func (c *client) failed(q question, e *entry, how string) {
	last := e.last()
	switch {
	case last != "" && last != whole,
		q.origin.gone.since(e.start),
		last == "" && q.origin.troubles.since(e.start.Add(-q.origin.after)):
		c.tally.blamed(c.way.name, q.kind)
		if q.origin == c.steady {
			c.tally.after(q.origin.gone.over())
		}
	default:
		c.tally.failed(c.way.name, q.kind)
		c.Errorf("%s: %s %s of %s over %s failed, and not by the origin: %s; %s", time.Now().Format(time.TimeOnly), q.method, q.path, q.origin.name, c.way.name, how, e)
	}
}

// leave begins a request and goes away, before or amid the answer.
func (c *client) leave(q question, want string) {
	e := c.ledger.begin()
	defer c.ledger.end(e)
	ctx, cancel := context.WithTimeout(c.ctx, time.Duration(c.IntN(20_000))*time.Microsecond)
	defer cancel()
	resp, err := c.http.Do(c.request(ctx, q, e))
	if err != nil {
		c.tally.left(c.way.name, q.kind)
		if ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			c.failed(q, e, err.Error())
		}
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, int64(c.IntN(largeSize))))
	c.tally.left(c.way.name, q.kind)
	if resp.StatusCode == http.StatusOK && !strings.HasPrefix(want, string(body)) {
		c.wrong(q, resp.Header, string(body))
	}
}

// wrong reports a body that is not what was asked for.
func (c *client) wrong(q question, h http.Header, body string) {
	c.tally.wrong(c.way.name, q.kind)
	c.Errorf("%s of %s over %s got a wrong body: %.200q (%d bytes); %v", q.path, q.origin.name, c.way.name, body, len(body), h)
}
