package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"cacheproxy/explain"
)

// mostQuestion is how many bytes a question may have.
const mostQuestion = 64 << 10

// serveExplain answers a question, which is an [explain.Request] as JSON, with an
// [explain.Report].
func serveExplain(answer func(context.Context, explain.Request) (explain.Report, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, status, err := readQuestion(w, r)
		if err != nil {
			http.Error(w, err.Error(), status)
			return
		}
		report, err := answer(r.Context(), q)
		var wrong *explain.Invalid
		switch {
		case errors.As(err, &wrong):
			http.Error(w, wrong.Text, http.StatusBadRequest)
		case err != nil:
			http.Error(w, "the request could not be explained: "+err.Error(), http.StatusInternalServerError)
		default:
			writeIndented(w, report)
		}
	}
}

// readQuestion reads the content strictly: a word that is not understood is
// a mistake. Only what says that it is JSON is taken, which no form of another site
// can say.
func readQuestion(w http.ResponseWriter, r *http.Request) (q explain.Request, status int, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return q, http.StatusUnsupportedMediaType, errors.New("send JSON, with Content-Type: application/json")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostQuestion))
	d.DisallowUnknownFields()
	err = d.Decode(&q)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return q, http.StatusRequestEntityTooLarge, fmt.Errorf("the content is longer than %d bytes", mostQuestion)
	case errors.Is(err, io.EOF):
		return q, http.StatusBadRequest, errors.New(`there is no content; send {"url": "https://www.example.com/a"}`)
	case err != nil:
		return q, http.StatusBadRequest, fmt.Errorf("the content is not understood: %w; the keys are url, method, headers and twice", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return q, http.StatusBadRequest, errors.New("something follows the JSON object; send one object and no more")
	}
	return q, 0, nil
}

func writeIndented(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // fails when the operator is gone
}
