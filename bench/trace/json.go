package trace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cacheproxy/policy"
)

// text is a JSON string, or the digits of a number: formats that are written by
// hand put numbers in quotes or not. Anything else is empty.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	switch c := b[0]; {
	case c == '"':
		var s string
		err := json.Unmarshal(b, &s)
		*t = text(s)
		return err
	case c == '-' || c >= '0' && c <= '9':
		*t = text(b)
	}
	return nil
}

// requestField is "GET /path HTTP/1.1" in logs of nginx, an object in Caddy's.
type requestField struct {
	line              text
	Method, Host, URI text
}

func (r *requestField) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return r.line.UnmarshalJSON(b)
	}
	type fields requestField // without this method
	return json.Unmarshal(b, (*fields)(r))
}

// jsonLine has the names under which logs keep what is read: those of nginx's
// variables, of Caddy and of cacheproxy.
type jsonLine struct {
	Request       requestField `json:"request"`
	RequestMethod text         `json:"request_method"`
	Method        text         `json:"method"`
	RequestURI    text         `json:"request_uri"`
	URI           text         `json:"uri"`
	Args          text         `json:"args"`
	QueryString   text         `json:"query_string"`

	Host       text `json:"host"`
	HTTPHost   text `json:"http_host"`
	ServerName text `json:"server_name"`

	Status        text `json:"status"`
	BodyBytesSent text `json:"body_bytes_sent"`
	Bytes         text `json:"bytes"`
	Size          text `json:"size"`
	BytesSent     text `json:"bytes_sent"`

	TimeISO   text `json:"time_iso8601"`
	Time      text `json:"time"`
	Timestamp text `json:"@timestamp"`
	TimeLocal text `json:"time_local"`
	Msec      text `json:"msec"`
	TS        text `json:"ts"`

	Action  text `json:"action"`
	Refused text `json:"refused"`
}

// unshared are the reasons of cacheproxy to store nothing that no size of the
// cache would change.
var unshared = []text{
	text(policy.NotUnderstood.String()), text(policy.NoStore.String()), text(policy.Private.String()),
	text(policy.Authorization.String()), text(policy.SetCookie.String()), text(policy.VaryStar.String()),
	text(policy.NoFreshness.String()),
}

// parseJSON reads a JSON object.
func parseJSON(line string) (Request, error) {
	var j jsonLine
	b := []byte(line)
	err := json.Unmarshal(b, &j)
	if err != nil && strings.Contains(line, `\x`) {
		// nginx without escape=json writes \x22, which JSON does not know.
		j = jsonLine{}
		err = json.Unmarshal(bytes.ReplaceAll(b, []byte(`\x`), []byte(`\u00`)), &j)
	}
	if err != nil {
		return Request{}, fmt.Errorf("not a JSON object: %w", err)
	}
	var r Request
	if err := j.request(&r); err != nil {
		return Request{}, err
	}
	if r.Host == "" {
		r.Host = string(cmp.Or(j.Host, j.HTTPHost, j.Request.Host, j.ServerName))
	}
	if j.Status != "" {
		if r.Status, err = parseStatus(string(j.Status)); err != nil {
			return Request{}, err
		}
	}
	size := cmp.Or(j.BodyBytesSent, j.Bytes, j.Size, j.BytesSent)
	if size == "" {
		return Request{}, errors.New("no size: neither body_bytes_sent nor bytes, size, bytes_sent")
	}
	if r.Size, err = parseSize(string(size)); err != nil {
		return Request{}, err
	}
	r.Time = j.time()
	r.Private = j.Action == text(policy.Pass.String()) || slices.Contains(unshared, j.Refused)
	return r, nil
}

// request sets method and target, from the name that says most.
func (j *jsonLine) request(r *Request) error {
	uri := cmp.Or(j.RequestURI, j.Request.URI)
	if uri == "" && j.Request.line != "" {
		return r.setRequestLine(string(j.Request.line))
	}
	if uri == "" {
		uri = j.URI
		if args := cmp.Or(j.Args, j.QueryString); args != "" && args != "-" && !strings.Contains(string(uri), "?") {
			uri += "?" + args
		}
	}
	if uri == "" {
		return errors.New("no target: neither request_uri nor request, uri")
	}
	method := cmp.Or(j.RequestMethod, j.Method, j.Request.Method)
	if method == "" && j.Request.line != "" {
		first, _, _ := strings.Cut(string(j.Request.line), " ")
		method = text(first)
	}
	if err := r.setMethod(string(cmp.Or(method, "GET"))); err != nil {
		return err
	}
	return r.setTarget(string(uri))
}

// time is the first time that can be read; zero when none can.
func (j *jsonLine) time() time.Time {
	for _, s := range []text{j.TimeISO, j.Time, j.Timestamp, j.TimeLocal, j.Msec, j.TS} {
		for _, layout := range []string{time.RFC3339, combinedTime} {
			if t, err := time.Parse(layout, string(s)); err == nil {
				return t
			}
		}
		// Seconds since 1970; beyond 1e11 it would not be seconds.
		if f, err := strconv.ParseFloat(string(s), 64); err == nil && f > 0 && f < 1e11 {
			whole, fraction := math.Modf(f)
			return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC()
		}
	}
	return time.Time{}
}
