package admin

import (
	"errors"
	"net/http"

	"cacheproxy/purge"
)

// mostPurgeBytes bounds the body of a POST to /api/purge.
const mostPurgeBytes = 1 << 20

// servePurge answers POST /api/purge: a [purge.Request] as JSON, answered by a
// [purge.Result]. The media type is asked for since a browser does not let pages of
// other sites send it.
func (o *Options) servePurge(w http.ResponseWriter, r *http.Request) {
	var rq purge.Request
	if !readJSON(w, r, mostPurgeBytes, &rq) {
		return
	}
	rq.By, rq.Via = askedBy(r), purge.ViaAPI
	result, err := o.Purge(r.Context(), rq)
	var wrong *purge.RequestError
	switch {
	case errors.As(err, &wrong):
		refuse(w, http.StatusBadRequest, wrong.Text)
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, err.Error())
	default:
		writeJSON(w, http.StatusOK, result)
	}
}

// servePurges answers GET /api/purges.
func (o *Options) servePurges(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Purges []purge.Audit `json:"purges"`
	}{o.Purges()})
}

// askedBy says who sends a request: all have the same token, so the address tells
// more.
func askedBy(r *http.Request) string {
	if r.Header.Get("Authorization") != "" {
		return "token from " + r.RemoteAddr
	}
	return r.RemoteAddr
}
