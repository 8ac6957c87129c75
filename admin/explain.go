package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"cacheproxy/explain"
)

// mostQuestion is how many bytes a question may have.
const mostQuestion = 64 << 10

// serveExplain answers a question, which is an [explain.Request] as JSON, with an
// [explain.Report].
func serveExplain(answer func(context.Context, explain.Request) (explain.Report, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q explain.Request
		if !readJSON(w, r, mostQuestion, &q) {
			return
		}
		report, err := answer(r.Context(), q)
		var wrong *explain.Invalid
		switch {
		case errors.As(err, &wrong):
			refuse(w, http.StatusBadRequest, wrong.Text)
		case err != nil:
			refuse(w, http.StatusInternalServerError, "the request could not be explained: "+err.Error())
		default:
			writeIndented(w, report)
		}
	}
}

func writeIndented(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // fails when the operator is gone
}
