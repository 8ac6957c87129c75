package e2e

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/dunglas/httpsfv"
	"github.com/stretchr/testify/require"
)

// ask is one request of a test. Headers are "Name: value".
type ask struct {
	method, path string
	headers      []string
}

func get(path string, headers ...string) ask { return ask{http.MethodGet, path, headers} }

func (a ask) String() string {
	return strings.TrimSpace(a.method + " " + a.path + " " + strings.Join(a.headers, "; "))
}

// answer is what came back, with the body read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a to the server at base, such as "http://127.0.0.1:8080".
func do(client *http.Client, base string, a ask) (answer, error) {
	req, err := http.NewRequest(a.method, base+a.path, nil)
	if err != nil {
		return answer{}, err
	}
	for _, h := range a.headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", a, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s: body after %d bytes: %w", a, len(body), err)
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

func mustDo(t *testing.T, client *http.Client, base string, a ask) answer {
	t.Helper()
	got, err := do(client, base, a)
	require.NoError(t, err)
	return got
}

// differs says in what got is not a, the answer of nginx itself, or "". A 304 and a 416 carry no representation, so
// only what they are about counts; the boundary of a multipart answer is free.
func (a answer) differs(got answer) string {
	if got.status != a.status {
		return fmt.Sprintf("status %d, nginx says %d", got.status, a.status)
	}
	names := []string{"Content-Type", "Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Location"}
	switch a.status {
	case http.StatusNotModified:
		return ""
	case http.StatusRequestedRangeNotSatisfiable:
		names = []string{"Content-Range"}
	}
	if isMultipart(a) {
		names = []string{"Etag", "Last-Modified"}
	}
	for _, name := range names {
		if g, w := got.header.Values(name), a.header.Values(name); fmt.Sprint(g) != fmt.Sprint(w) {
			return fmt.Sprintf("%s %q, nginx says %q", name, g, w)
		}
	}
	if a.status == http.StatusRequestedRangeNotSatisfiable {
		return ""
	}
	return diffBody(got, a)
}

func diffBody(got, want answer) string {
	g, w := got.body, want.body
	if isMultipart(want) {
		var err error
		if g, err = parts(got); err != nil {
			return err.Error()
		}
		if w, err = parts(want); err != nil {
			return "from nginx: " + err.Error()
		}
	}
	if bytes.Equal(g, w) {
		return ""
	}
	at := 0
	for at < min(len(g), len(w)) && g[at] == w[at] {
		at++
	}
	return fmt.Sprintf("body of %d bytes, nginx sends %d; they differ from byte %d on", len(g), len(w), at)
}

func isMultipart(a answer) bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "multipart/byteranges")
}

// parts gives a multipart body without its boundaries.
func parts(a answer) ([]byte, error) {
	_, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for r := multipart.NewReader(bytes.NewReader(a.body), params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("multipart body: %w", err)
		}
		fmt.Fprintf(&out, "%s|%s|", part.Header.Get("Content-Type"), part.Header.Get("Content-Range"))
		if _, err := io.Copy(&out, part); err != nil {
			return nil, fmt.Errorf("multipart body: %w", err)
		}
	}
}

// cacheStatus is the proxy's member of Cache-Status (RFC 9211).
type cacheStatus struct {
	hit, stored bool
	fwd         string
	fwdStatus   int64
	ttl         int64
}

func (a answer) cacheStatus() (cacheStatus, error) {
	list, err := httpsfv.UnmarshalList(a.header.Values("Cache-Status"))
	if err != nil {
		return cacheStatus{}, fmt.Errorf("Cache-Status %q: %w", a.header.Values("Cache-Status"), err)
	}
	if len(list) != 1 {
		return cacheStatus{}, fmt.Errorf("Cache-Status %q: want one member", a.header.Values("Cache-Status"))
	}
	item, ok := list[0].(httpsfv.Item)
	if !ok || item.Value != httpsfv.Token("cacheproxy") {
		return cacheStatus{}, fmt.Errorf("Cache-Status %q: want a member named cacheproxy", a.header.Values("Cache-Status"))
	}
	var s cacheStatus
	param := func(name string) any { v, _ := item.Params.Get(name); return v }
	s.hit, _ = param("hit").(bool)
	s.stored, _ = param("stored").(bool)
	s.fwdStatus, _ = param("fwd-status").(int64)
	s.ttl, _ = param("ttl").(int64)
	fwd, _ := param("fwd").(httpsfv.Token)
	s.fwd = string(fwd)
	return s, nil
}

func mustCacheStatus(t *testing.T, a answer) cacheStatus {
	t.Helper()
	s, err := a.cacheStatus()
	require.NoError(t, err)
	return s
}

// originRequest names the request to nginx from which the answer, or its last validation, came.
func (a answer) originRequest() string { return a.header.Get("X-Origin-Request") }
