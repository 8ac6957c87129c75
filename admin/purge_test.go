package admin

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/purge"
)

// purger is a proxy that only notes what it is asked for.
type purger struct {
	asked []purge.Request
	err   error
}

func (p *purger) Purge(_ context.Context, rq purge.Request) (purge.Result, error) {
	p.asked = append(p.asked, rq)
	return purge.Result{Purged: 3, Complete: true, Marks: []purge.Marked{{Kind: "tag", Value: "a", Entries: 3}}}, p.err
}

func (p *purger) handler(token string) *Options {
	return &Options{Metrics: NewMetrics(Sources{}), Token: token, Purge: p.Purge, Purges: func() []purge.Audit {
		return []purge.Audit{{Time: time.Unix(0, 0).UTC(), By: "ann", Via: purge.ViaAPI, What: "tag a", Entries: 3, Complete: true}}
	}}
}

func postPurge(o *Options, kind, body, auth string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/api/purge", strings.NewReader(body))
	r.Host = "localhost"
	r.Header.Set("Content-Type", kind)
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	New(*o).ServeHTTP(w, r)
	return w
}

func TestPurge(t *testing.T) {
	p := new(purger)
	w := postPurge(p.handler("secret"), "application/json; charset=utf-8", `{
		"urls": ["http://a.example/x"], "tags": ["a", "b"], "hosts": ["a.example"], "prefixes": ["a.example/y/"],
		"globs": ["a.example/*.jpg"], "groups": [{"origin": "http://a.example", "name": "g"}], "everything": true,
		"soft": true, "dry_run": true, "wait": false
	}`, "Bearer secret")
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.JSONEq(t, `{"purged":3,"soft":false,"complete":true,"marks":[{"kind":"tag","value":"a","entries":3}]}`, w.Body.String())
	require.Len(t, p.asked, 1)
	assert.Equal(t, purge.Request{
		URLs: []string{"http://a.example/x"}, Tags: []string{"a", "b"}, Hosts: []string{"a.example"}, Prefixes: []string{"a.example/y/"},
		Globs: []string{"a.example/*.jpg"}, Groups: []purge.GroupName{{Origin: "http://a.example", Name: "g"}}, Everything: true,
		Soft: true, DryRun: true, Wait: new(bool), By: "token from 192.0.2.1:1234", Via: purge.ViaAPI,
	}, p.asked[0])
}

func TestPurgeRefuses(t *testing.T) {
	const kind = "application/json"
	for _, tc := range []struct {
		name, kind, body string
		status           int
		want             string
	}{
		{"a form of another site", "text/plain", `{"tags":["a"]}`, 415, "Content-Type: application/json"},
		{"no type", "", `{"tags":["a"]}`, 415, "application/json"},
		{"no JSON", kind, `tags=a`, 400, "no JSON object"},
		{"nothing", kind, ``, 400, "no JSON object"},
		{"cut off", kind, `{"tags":["a"`, 400, "no JSON object"},
		{"two", kind, `{"tags":["a"]} {"tags":["b"]}`, 400, "more after it"},
		{"a list", kind, `["a"]`, 400, "array is given where an object is wanted"},
		{"a key that is not known", kind, `{"tag":["a"]}`, 400, `"tag" is no key`},
		{"a key that is not known, below", kind, `{"groups":[{"host":"a"}]}`, 400, `"host" is no key`},
		{"how it came is not for the client to say", kind, `{"via":"group"}`, 400, `"via" is no key`},
		{"a string for a list", kind, `{"tags":"a"}`, 400, "tags: string is given where a list is wanted"},
		{"a number for a string", kind, `{"tags":[1]}`, 400, "tags: number is given where a string is wanted"},
		{"a string for a flag", kind, `{"soft":"yes"}`, 400, "soft: string is given where true or false is wanted"},
		{"a string for a group", kind, `{"groups":["a"]}`, 400, "groups: string is given where an object is wanted"},
		{"too large", kind, `{"tags":["` + strings.Repeat("a", mostPurgeBytes) + `"]}`, 413, "larger than 1048576 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := new(purger)
			w := postPurge(p.handler("secret"), tc.kind, tc.body, "Bearer secret")
			assert.Equal(t, tc.status, w.Code)
			assert.Contains(t, strings.ReplaceAll(w.Body.String(), `\"`, `"`), tc.want)
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.Empty(t, p.asked)
		})
	}
}

func TestPurgeTellsWhatTheProxySays(t *testing.T) {
	p := &purger{err: purge.Errorf("urls[0]: nonsense")}
	w := postPurge(p.handler("secret"), "application/json", `{"urls":["x"]}`, "Bearer secret")
	assert.Equal(t, 400, w.Code)
	assert.JSONEq(t, `{"error":"urls[0]: nonsense"}`, w.Body.String())
	p.err = errors.New("cut short")
	w = postPurge(p.handler("secret"), "application/json", `{"urls":["x"]}`, "Bearer secret")
	assert.Equal(t, 503, w.Code)
	assert.JSONEq(t, `{"error":"cut short"}`, w.Body.String())
}

func TestPurgeIsForOperators(t *testing.T) {
	p := new(purger)
	o := p.handler("secret")
	assert.Equal(t, 401, postPurge(o, "application/json", `{"everything":true}`, "").Code)
	assert.Equal(t, 401, postPurge(o, "application/json", `{"everything":true}`, "Bearer wrong").Code)
	assert.Equal(t, 401, ask(New(*o), "GET", "/api/purges", "").Code)
	assert.Equal(t, 405, ask(New(*o), "GET", "/api/purge", "Bearer secret").Code)
	assert.Empty(t, p.asked)
	without := New(Options{Metrics: NewMetrics(Sources{}), Token: "secret"})
	assert.Equal(t, 404, ask(without, "POST", "/api/purge", "Bearer secret").Code)
	assert.NotContains(t, ask(without, "GET", "/", "Bearer secret").Body.String(), "/api/purge")
	assert.Contains(t, ask(New(*o), "GET", "/", "Bearer secret").Body.String(), "/api/purge ")
}

func TestPurges(t *testing.T) {
	w := ask(New(*new(purger).handler("secret")), "GET", "/api/purges", "Bearer secret")
	assert.Equal(t, 200, w.Code)
	assert.JSONEq(t, `{"purges":[{"time":"1970-01-01T00:00:00Z","by":"ann","via":"api","what":"tag a","soft":false,"entries":3,"complete":true,"took_ns":0}]}`, w.Body.String())
}
