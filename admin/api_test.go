package admin

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// withAPI is an operator's side whose API says yes to everything.
func withAPI(t *testing.T, token string) http.Handler {
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, err := w.Write([]byte("{}"))
		assert.NoError(t, err)
	})
	return New(Options{Metrics: NewMetrics(Sources{}), Token: token, API: api})
}

func TestBrowsersAreLedToThePage(t *testing.T) {
	for _, token := range []string{"", "s3cret"} {
		h := withAPI(t, token)
		r := httptest.NewRequest("GET", "http://127.0.0.1:8081/", nil)
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, http.StatusSeeOther, w.Code)
		assert.Equal(t, "/ui/", w.Header().Get("Location"))
	}
	w := ask(withAPI(t, ""), "GET", "/", "")
	assert.Equal(t, 200, w.Code)
	for _, path := range []string{"/ui/", "/api/overview"} {
		assert.Contains(t, w.Body.String(), "\n"+path, "what is there is named")
		assert.Equal(t, 200, ask(withAPI(t, ""), "GET", path, "").Code)
	}
}

func TestWithoutAnAPIThereIsNoPage(t *testing.T) {
	h := New(Options{Metrics: NewMetrics(Sources{})})
	for _, path := range []string{"/ui/", "/ui/app.js", "/api/overview"} {
		assert.Equal(t, 404, ask(h, "GET", path, "").Code, path)
	}
	r := httptest.NewRequest("GET", "http://127.0.0.1:8081/", nil)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, 200, w.Code)
	assert.NotContains(t, w.Body.String(), "/ui/")
}

// The page itself is open, since it has to ask for the token; what it shows is not.
func TestThePageIsOpenTheFiguresAreNot(t *testing.T) {
	h := withAPI(t, "s3cret")
	w := ask(h, "GET", "/ui/", "")
	assert.Equal(t, 200, w.Code)
	assert.Contains(t, w.Header().Get("Content-Type"), "text/html")
	assert.NotContains(t, w.Body.String(), "s3cret")
	for _, path := range []string{"/api/overview", "/api/events", "/api/", "/metrics", "/ui", "//ui/", "/ui%2e"} {
		assert.Equal(t, 401, ask(h, "GET", path, "").Code, path)
	}
	assert.Equal(t, 200, ask(h, "GET", "/api/overview", "Bearer s3cret").Code)
	for _, path := range []string{"/ui/../metrics", "/ui/../api/overview", "/ui/%2e%2e/metrics", "/ui/..%2fmetrics"} {
		w := ask(h, "GET", path, "")
		assert.NotEqual(t, 200, w.Code, path)
		assert.NotContains(t, w.Body.String(), "cacheproxy_", path)
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		assert.Equal(t, 405, ask(h, method, "/ui/", "").Code, method)
	}
}
