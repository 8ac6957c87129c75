package proxy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// refused returns what a client reads of a refusal, and the outcome.
func refused(t *testing.T, q proxy.Refusal) (*http.Response, []byte, proxy.Outcome) {
	t.Helper()
	var outcomes []proxy.Outcome
	p := proxy.New(nil, &proxy.Config{Name: "cacheproxy", Token: "edge"}, func(o *proxy.Outcome) { outcomes = append(outcomes, *o) })
	wire := p.Refuse([]byte("before"), q)
	require.True(t, bytes.HasPrefix(wire, []byte("before")), "it appends")
	br := bufio.NewReader(bytes.NewReader(wire[len("before"):]))
	method := http.MethodGet
	if q.Head {
		method = http.MethodHead
	}
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Zero(t, br.Buffered(), "nothing follows")
	require.Len(t, outcomes, 1, "each refusal is one outcome")
	return resp, body, outcomes[0]
}

// Proxy-Status as RFC 9209, 2 and RFC 8941 write it: tokens, strings and integers.
var proxyStatus = regexp.MustCompile(`^cacheproxy; error=[a-z_]+(; next-hop="[^"\\]*")?(; received-status=\d+)?; details="[a-z-]+"$`)

func TestRefuse(t *testing.T) {
	for _, why := range policy.Reasons() {
		if why.Info().Group != policy.GroupFail || why == policy.OnlyIfCached || why == policy.ClientGone || why == policy.Purge {
			continue
		}
		t.Run(why.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				time.Sleep(time.Second)
				resp, body, o := refused(t, proxy.Refusal{
					Reason: why, Remote: "192.0.2.1:4711", Method: "GET", Host: "a", URI: "/x", Proto: "HTTP/1.1", Start: start,
				})
				assert.GreaterOrEqual(t, resp.StatusCode, 400)
				h := resp.Header
				assert.Equal(t, "no-store", h.Get("Cache-Control"))
				assert.Equal(t, "1.1 edge", h.Get("Via"))
				assert.Equal(t, time.Now().UTC().Format(http.TimeFormat), h.Get("Date"))
				assert.Regexp(t, proxyStatus, h.Get("Proxy-Status"))
				assert.Equal(t, resp.StatusCode == 405, h.Get("Allow") == proxy.Allowed)
				assert.Equal(t, resp.StatusCode == 503 || resp.StatusCode == 429, h.Get("Retry-After") == "1")
				assert.Equal(t, why == policy.RequestTimeout || why == policy.TooManyConnections, resp.Close)
				assert.EqualValues(t, len(body), resp.ContentLength)
				var said struct {
					Status    int
					Reason    string
					RequestID string `json:"request_id"`
				}
				require.NoError(t, json.Unmarshal(body, &said))
				assert.Equal(t, resp.StatusCode, said.Status)
				assert.Equal(t, why.String(), said.Reason)
				assert.Equal(t, h.Get("X-Request-Id"), said.RequestID)
				assert.Equal(t, proxy.Outcome{
					Action: policy.Fail, Reason: why, Status: resp.StatusCode, Method: "GET", Host: "a", URI: "/x", Proto: "HTTP/1.1",
					Remote: "192.0.2.1:4711", RequestID: said.RequestID, Start: start, Duration: time.Second, Bytes: int64(len(body)),
				}, o)
			})
		})
	}
}

func TestRefuseWithLittleKnown(t *testing.T) {
	resp, body, o := refused(t, proxy.Refusal{Reason: policy.URITooLong, Head: true, Close: true})
	assert.Equal(t, 414, resp.StatusCode)
	assert.True(t, resp.Close)
	assert.Positive(t, resp.ContentLength, "that of the content which a GET gets")
	assert.Empty(t, body)
	assert.Zero(t, o.Bytes)
	assert.False(t, o.Start.IsZero())
	assert.Zero(t, o.Duration)

	resp, _, _ = refused(t, proxy.Refusal{Reason: policy.TooManyConnections, RetryAfter: 1001 * time.Millisecond})
	assert.Equal(t, "2", resp.Header.Get("Retry-After"), "not too early")
	assert.True(t, resp.Close)

	resp, _, o = refused(t, proxy.Refusal{Reason: policy.Fresh})
	assert.Equal(t, 400, resp.StatusCode, "a reason that refuses nothing")
	assert.Equal(t, policy.BadRequest, o.Reason)
}

// What a client sends is not part of the answer, whatever it is.
func TestRefuseRepeatsNothing(t *testing.T) {
	bad := "\r\nSet-Cookie: x=1\r\n\r\n<script>\x00\xff"
	_, body, o := refused(t, proxy.Refusal{Reason: policy.BadRequest, Method: bad, Host: bad, URI: bad, Proto: bad, Remote: bad})
	assert.NotContains(t, string(body), "script")
	assert.Equal(t, bad, o.URI, "the log is told, and escapes it")
	assert.False(t, strings.Contains(o.RequestID, "\r"))
}
