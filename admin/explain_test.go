package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/explain"
)

func explaining(answer func(context.Context, explain.Request) (explain.Report, error)) Options {
	return Options{Metrics: NewMetrics(Sources{}), Explain: answer}
}

func question(o Options, kind, content string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://localhost/api/explain", strings.NewReader(content))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	New(o).ServeHTTP(w, r)
	return w
}

func TestExplain(t *testing.T) {
	var asked explain.Request
	o := explaining(func(_ context.Context, q explain.Request) (explain.Report, error) {
		asked = q
		return explain.Report{URL: q.URL, Answers: []explain.Answer{{Status: 200, Advice: []string{"a < b"}}}}, nil
	})
	w := question(o, "application/json; charset=utf-8", `{"url": "http://a.example/", "method": "HEAD", "headers": {"Accept": "a"}, "twice": true}`)
	require.Equal(t, 200, w.Code, w.Body.String())
	assert.Equal(t, explain.Request{URL: "http://a.example/", Method: "HEAD", Headers: map[string]string{"Accept": "a"}, Twice: true}, asked)
	assert.Contains(t, w.Body.String(), "a < b")
	var got explain.Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.Equal(t, 200, got.Answers[0].Status)
}

func TestExplainRefuses(t *testing.T) {
	o := explaining(func(_ context.Context, q explain.Request) (explain.Report, error) {
		if q.URL == "http://down.example/" {
			return explain.Report{}, errors.New("gone")
		}
		return explain.Report{}, &explain.Invalid{Text: "url: wrong"}
	})
	for _, tc := range []struct {
		kind, content string
		status        int
		want          string
	}{
		{"", `{"url": "http://a.example/"}`, 415, "Content-Type: application/json"},
		{"text/plain", `{"url": "http://a.example/"}`, 415, "Content-Type: application/json"},
		{"application/json", ``, 400, "the body is no JSON object"},
		{"application/json", `{"url": 5}`, 400, "url"},
		{"application/json", `{"uri": "http://a.example/"}`, 400, `\"uri\" is no key`},
		{"application/json", `{"url": "a"`, 400, "the body is no JSON object"},
		{"application/json", `{"url": "a"} {}`, 400, "there is more after it"},
		{"application/json", `{"url": "` + strings.Repeat("a", mostQuestion) + `"}`, 413, "larger than"},
		{"application/json", `{"url": "a"}`, 400, "url: wrong"},
		{"application/json", `{"url": "http://down.example/"}`, 500, "gone"},
	} {
		w := question(o, tc.kind, tc.content)
		assert.Equal(t, tc.status, w.Code, tc.content[:min(40, len(tc.content))])
		assert.Contains(t, w.Body.String(), tc.want)
	}
	assert.Equal(t, 405, ask(New(o), "GET", "/api/explain", "").Code)
	o.Token = "t"
	assert.Equal(t, 401, question(o, "application/json", `{}`).Code)
}
