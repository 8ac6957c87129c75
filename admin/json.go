package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
)

// readJSON reads the body of a POST, one JSON object of at most so many bytes, into v;
// false says that it was refused. The media type is asked for since a browser does not
// let pages of other sites send it.
func readJSON(w http.ResponseWriter, r *http.Request, most int64, v any) bool {
	if !isType(r, "application/json") {
		refuse(w, http.StatusUnsupportedMediaType, "send Content-Type: application/json")
		return false
	}
	err := decodeStrictly(http.MaxBytesReader(w, r.Body, most), v)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than %d bytes: send it in parts", tooLarge.Limit))
	case err != nil:
		refuse(w, http.StatusBadRequest, err.Error())
	}
	return err == nil
}

func isType(r *http.Request, want string) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == want
}

// decodeStrictly reads one JSON object that has no keys but those of v, which points to
// a struct. The error names what is wrong in words of the request.
func decodeStrictly(body io.Reader, v any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		if err == nil {
			err = errors.New("there is more after it")
		}
	}
	var mistyped *json.UnmarshalTypeError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return err
	case errors.As(err, &mistyped) && mistyped.Field != "":
		return fmt.Errorf("%s: %s is given where %s is wanted", mistyped.Field, mistyped.Value, wanted(mistyped.Type))
	case errors.As(err, &mistyped):
		return fmt.Errorf("%s is given where an object is wanted", mistyped.Value)
	}
	if key, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return fmt.Errorf("%s is no key: there are %s", key, keysOf(v))
	}
	return fmt.Errorf("the body is no JSON object: %w", err)
}

// wanted says in words of JSON what a type is.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	}
	return "an object"
}

// keysOf lists the keys that a request may have.
func keysOf(v any) string {
	t := reflect.TypeOf(v).Elem()
	var keys []string
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return strings.Join(keys, ", ")
}

func refuse(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, struct {
		Error string `json:"error"`
	}{text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // nothing that is written here can fail
		body, status = []byte("{}"), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
