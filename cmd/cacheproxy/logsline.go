package main

import (
	"fmt"
	"strings"
	"time"
)

// loggedRequest is a request of /api/requests, as far as it is shown.
type loggedRequest struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	URI       string    `json:"uri"`
	Target    string    `json:"target"`
	Error     string    `json:"error"`
	Status    int       `json:"status"`
	Action    string    `json:"action"`
	Reason    string    `json:"reason"`
	Refused   string    `json:"refused"`
	Collapsed bool      `json:"collapsed"`
	Aborted   bool      `json:"aborted"`
	Bytes     int64     `json:"bytes"`
	Duration  float64   `json:"duration_ms"`
	Origin    float64   `json:"origin_ms"`
}

// Colours of a terminal.
const (
	red, green, yellow, dim, normal = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[2m", "\x1b[0m"
)

// text is a request as a line.
func (r *loggedRequest) text(colours bool) string {
	paint := func(colour, s string) string {
		if !colours || colour == "" || s == "" {
			return s
		}
		return colour + s + normal
	}
	var b strings.Builder
	b.WriteString(paint(dim, r.Time.Local().Format("15:04:05.000")))
	b.WriteString(" " + paint(statusColour(r.Status), fmt.Sprintf("%3d", r.Status)))
	b.WriteString(" " + paint(actionColour(r.Action), fmt.Sprintf("%-11s", inert(r.Action))))
	fmt.Fprintf(&b, " %-22s %9s %10s %s %s", inert(r.Reason), millis(&r.Duration), binary(float64(r.Bytes)), inert(r.Method), inert(r.Host+r.URI))
	more := func(name, value string) {
		if value != "" {
			b.WriteString(" " + paint(dim, name+"="+inert(value)))
		}
	}
	more("refused", r.Refused)
	if r.Origin > 0 {
		more("origin", strings.ReplaceAll(millis(&r.Origin), " ", ""))
	}
	more("target", r.Target)
	if r.Error != "" {
		b.WriteString(" " + paint(red, "error="+inert(r.Error)))
	}
	if r.Collapsed {
		b.WriteString(" " + paint(dim, "collapsed"))
	}
	if r.Aborted {
		b.WriteString(" " + paint(red, "aborted"))
	}
	return b.String()
}

func statusColour(status int) string {
	switch {
	case status >= 500 || status == 0:
		return red
	case status >= 400:
		return yellow
	}
	return ""
}

func actionColour(action string) string {
	switch action {
	case "serve":
		return green
	case "serve-stale":
		return yellow
	case "fail":
		return red
	}
	return ""
}
