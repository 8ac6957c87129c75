package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Print writes the effective configuration as YAML that Parse reads back to the
// same value, provided that it is valid. Without secrets the tokens are left out,
// with a comment in their place.
func (c Config) Print(w io.Writer, secrets bool) error {
	var out printer
	if !secrets {
		out.hidden = c.Admin.hideSecrets()
	}
	out.block(reflect.ValueOf(c), 0)
	_, err := w.Write(out.Bytes())
	return err
}

type printer struct {
	bytes.Buffer
	hidden string // names of the tokens that are left out
}

// hideSecrets takes the tokens out and returns their names.
func (a *Admin) hideSecrets() string {
	var names []string
	for _, t := range []struct {
		name  string
		value *string
	}{{"token", &a.Token}, {"debug_token", &a.DebugToken}} {
		if *t.value != "" {
			*t.value = ""
			names = append(names, t.name)
		}
	}
	return strings.Join(names, ", ")
}

// block prints the fields of a struct, one key a line. Nil and empty strings are
// left out, as an absent key means the same.
func (out *printer) block(v reflect.Value, indent int) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		field := v.Field(i)
		if name == "" || absent(field) {
			continue
		}
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		out.WriteString(strings.Repeat(" ", indent) + name + ":")
		out.value(field, indent)
		if name == "admin" && out.hidden != "" {
			out.WriteString("  # " + out.hidden + ": is set, and not shown here\n")
		}
	}
}

func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String, reflect.Struct:
		return v.IsZero()
	}
	return false
}

// value prints what comes after "key:", up to the end of the line or block.
func (out *printer) value(v reflect.Value, indent int) {
	switch {
	case v.Kind() == reflect.Struct && empty(v):
		out.WriteString(" {}\n")
	case v.Kind() == reflect.Struct:
		out.WriteString("\n")
		out.block(v, indent+2)
	case v.Kind() == reflect.Map && v.Len() == 0:
		out.WriteString(" {}\n")
	case v.Kind() == reflect.Map:
		out.WriteString("\n")
		out.mapping(v, indent+2)
	case v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct:
		out.WriteString("\n")
		out.items(v, indent+2)
	case v.Kind() == reflect.Slice:
		var words []string
		for i := range v.Len() {
			words = append(words, scalar(v.Index(i)))
		}
		out.WriteString(" [" + strings.Join(words, ", ") + "]\n")
	default:
		out.WriteString(" " + scalar(v) + "\n")
	}
}

func (out *printer) mapping(v reflect.Value, indent int) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.CanInt() {
			return int(a.Int() - b.Int())
		}
		return strings.Compare(a.String(), b.String())
	})
	for _, key := range keys {
		out.WriteString(strings.Repeat(" ", indent) + scalar(key) + ":")
		out.value(v.MapIndex(key), indent)
	}
}

// items prints structs as a list; the dash takes the place of two spaces.
func (out *printer) items(v reflect.Value, indent int) {
	for i := range v.Len() {
		if empty(v.Index(i)) {
			out.WriteString(strings.Repeat(" ", indent) + "- {}\n")
			continue
		}
		start := out.Len()
		out.block(v.Index(i), indent+2)
		out.Bytes()[start+indent] = '-'
	}
}

// empty holds for a struct of which nothing would be printed.
func empty(v reflect.Value) bool {
	for i := range v.NumField() {
		if !absent(v.Field(i)) {
			return false
		}
	}
	return true
}

// plain are the words that YAML can only read as a string.
var (
	plain    = regexp.MustCompile(`^(https?://[A-Za-z0-9.-]+|[A-Za-z][A-Za-z0-9_.-]*)(:[0-9]+)?$`)
	reserved = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
)

func scalar(v reflect.Value) string {
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return s.String()
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	s := v.String()
	if plain.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return quote(s)
}

// quote writes a JSON string, which is also a YAML one.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}
