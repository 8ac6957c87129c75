package insight

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Bounds of what one request may ask for.
const (
	maxLimit   = 1000
	lookTime   = time.Second // to look through the store
	maxStreams = 16          // of events at the same time
)

// API serves what is known as JSON. The fields are sources of what others know;
// of what is nil the API says that it is not offered.
type API struct {
	Insight  *Insight // required
	Objects  Objects
	Findings func() []Finding // worst first
	// Trace tells how a recent request was decided, or false if that is not known.
	Trace func(r Request) (any, bool)
	// Offers are the names of what else there is below /api/: upstreams, purge,
	// purges, refresh, explain.
	Offers []string
}

// Handler answers GET and HEAD for:
//
//	/api/overview                     Overview, and what is offered
//	/api/series?span=5m|1h|24h|30d    Series
//	/api/events                       an overview a second, as Server-Sent Events; 16 clients at most
//	/api/requests?reason=&status=&host=&q=&limit=
//	/api/requests/ID
//	/api/top?by=requests|misses|bytes|origin_time&limit=
//	/api/objects?q=&limit=
//	/api/objects/one?key=
//	/api/findings
//
// What is wrong with a request is said in {"error": ...}.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/overview", a.overview)
	mux.HandleFunc("GET /api/series", a.series)
	mux.HandleFunc("GET /api/events", a.events)
	mux.HandleFunc("GET /api/requests", a.requests)
	mux.HandleFunc("GET /api/requests/{id}", a.request)
	mux.HandleFunc("GET /api/top", a.top)
	if a.Objects != nil {
		mux.HandleFunc("GET /api/objects", a.objects)
		mux.HandleFunc("GET /api/objects/one", a.object)
	}
	if a.Findings != nil {
		mux.HandleFunc("GET /api/findings", func(w http.ResponseWriter, _ *http.Request) { list(w, "findings", a.Findings()) })
	}
	mux.HandleFunc("GET /api/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "%s is not offered here", r.URL.Path)
	})
	return mux
}

func (a *API) offers() []string {
	offers := append([]string{}, a.Offers...)
	for name, is := range map[string]bool{
		"objects": a.Objects != nil, "findings": a.Findings != nil, "trace": a.Trace != nil,
	} {
		if is {
			offers = append(offers, name)
		}
	}
	slices.Sort(offers)
	return slices.Compact(offers)
}

func (a *API) overview(w http.ResponseWriter, _ *http.Request) {
	reply(w, struct {
		Overview
		Offers []string `json:"offers"`
	}{a.Insight.Overview(), a.offers()})
}

func (a *API) series(w http.ResponseWriter, r *http.Request) {
	span := r.URL.Query().Get("span")
	s, ok := a.Insight.Series(span)
	if !ok {
		refuse(w, http.StatusBadRequest, "span is %q: give 5m, 1h, 24h or 30d", span)
		return
	}
	reply(w, s)
}

func (a *API) requests(w http.ResponseWriter, r *http.Request) {
	limit, ok := limitOf(w, r, 100)
	if !ok {
		return
	}
	q := r.URL.Query()
	list(w, "requests", a.Insight.Requests(Filter{
		Reason: q.Get("reason"), Status: q.Get("status"), Host: q.Get("host"), Text: q.Get("q"), Limit: limit,
	}))
}

func (a *API) request(w http.ResponseWriter, r *http.Request) {
	one, ok := a.Insight.Request(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, "request %q is not among the recent ones", r.PathValue("id"))
		return
	}
	answer := struct {
		Request
		Trace any `json:"trace"` // null when there is none
	}{Request: one}
	if a.Trace != nil {
		if trace, ok := a.Trace(one); ok {
			answer.Trace = trace
		}
	}
	reply(w, answer)
}

func (a *API) top(w http.ResponseWriter, r *http.Request) {
	limit, ok := limitOf(w, r, 20)
	if !ok {
		return
	}
	by := r.URL.Query().Get("by")
	urls, since, ok := a.Insight.Top(by, limit)
	if !ok {
		refuse(w, http.StatusBadRequest, "by is %q: give requests, misses, bytes or origin_time", by)
		return
	}
	reply(w, struct {
		By    string    `json:"by"`
		Since time.Time `json:"since"`
		URLs  []URL     `json:"urls"`
	}{by, since, urls})
}

func (a *API) objects(w http.ResponseWriter, r *http.Request) {
	limit, ok := limitOf(w, r, 50)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	found := a.Objects.List(ctx, r.URL.Query().Get("q"), limit)
	if found.Objects == nil {
		found.Objects = []Object{}
	}
	reply(w, found)
}

func (a *API) object(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	key := r.URL.Query().Get("key")
	variants := a.Objects.Variants(ctx, key)
	if len(variants) == 0 {
		refuse(w, http.StatusNotFound, "nothing is stored for key %q", key)
		return
	}
	reply(w, struct {
		Key      string    `json:"key"`
		Variants []Variant `json:"variants"`
	}{key, variants})
}

// limitOf reads the parameter limit. It answers by itself when that is wrong.
func limitOf(w http.ResponseWriter, r *http.Request, otherwise int) (int, bool) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		refuse(w, http.StatusBadRequest, "limit is %q: give a number from 1 to %d", text, maxLimit)
		return 0, false
	}
	return n, true
}

func list[T any](w http.ResponseWriter, name string, all []T) {
	if all == nil {
		all = []T{}
	}
	reply(w, map[string][]T{name: all})
}

func reply(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the answer cannot be written as JSON: %v", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(data, '\n'))
}

func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	data, _ := json.Marshal(map[string]string{"error": fmt.Sprintf(format, args...)})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}
