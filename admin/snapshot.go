package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"cacheproxy/snapshot"
)

// SnapshotType is the media type of a snapshot.
const SnapshotType = "application/octet-stream"

// SavedTrailer is the trailer field of a snapshot: a [snapshot.Saved] as JSON.
const SavedTrailer = "Cacheproxy-Saved"

// serveSave answers GET /api/snapshot: what is stored, as it is now. One that breaks off
// is cut off, as every transfer that breaks off.
func (o *Options) serveSave(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", SnapshotType)
	h.Set("Content-Disposition", `attachment; filename="cacheproxy.snapshot"`)
	if r.Method == http.MethodHead {
		return
	}
	h.Set("Trailer", SavedTrailer)
	out := &pacedWriter{ResponseWriter: w}
	saved, err := o.SaveSnapshot(out)
	switch {
	case err != nil && !out.begun:
		h.Del("Trailer")
		h.Del("Content-Disposition")
		refuse(w, snapshotStatus(err), err.Error())
	case err != nil:
		panic(http.ErrAbortHandler)
	default:
		text, _ := json.Marshal(saved) // of numbers
		h.Set(SavedTrailer, string(text))
	}
}

// serveLoad answers POST /api/snapshot: its body is a snapshot, the answer a
// [snapshot.Loaded].
func (o *Options) serveLoad(w http.ResponseWriter, r *http.Request) {
	if !isType(r, SnapshotType) {
		refuse(w, http.StatusUnsupportedMediaType, "send the snapshot as it is, with Content-Type: "+SnapshotType)
		return
	}
	loaded, err := o.LoadSnapshot(&pacedReader{r.Body, http.NewResponseController(w)})
	if err != nil {
		writeJSON(w, snapshotStatus(err), struct {
			Error  string          `json:"error"`
			Loaded snapshot.Loaded `json:"loaded"` // before that
		}{err.Error(), loaded})
		return
	}
	writeJSON(w, http.StatusOK, loaded)
}

func snapshotStatus(err error) int {
	var format *snapshot.FormatError
	switch {
	case errors.As(err, &format):
		return http.StatusBadRequest
	case errors.Is(err, snapshot.ErrBusy):
		return http.StatusConflict
	}
	return http.StatusServiceUnavailable
}
