package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// load is what a load generator has to tell.
type load struct {
	requests int64
	seconds  float64
	bytes    float64 // of the answers; wrk rounds to three or more digits
	bad      int64
	p50, p99 time.Duration // 0 where it does not tell
}

var (
	wrkTotal  = regexp.MustCompile(`(\d+) requests in ([\d.]+)(us|ms|s|m|h), ([\d.]+)(B|KB|MB|GB|TB) read`)
	wrkStatus = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	wrkSocket = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	wrkRank   = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([\d.]+)(us|ms|s|m|h)\s*$`)

	h2Total    = regexp.MustCompile(`finished in ([\d.]+)(us|ms|s|m|h),`)
	h2Requests = regexp.MustCompile(`requests: \d+ total, \d+ started, \d+ done, \d+ succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
	h2Status   = regexp.MustCompile(`status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx`)
	h2Traffic  = regexp.MustCompile(`traffic: .* \((\d+)\) data`)
	h2Protocol = regexp.MustCompile(`Application protocol: (\S+)`)
)

// parseWrk reads what wrk --latency prints.
func parseWrk(text string) (load, error) {
	total := wrkTotal.FindStringSubmatch(text)
	if total == nil {
		return load{}, fmt.Errorf("wrk did not say how many requests it made: %s", brief(text))
	}
	l := load{requests: integer(total[1]), seconds: span(total[2], total[3]).Seconds(), bytes: size(total[4], total[5])}
	if m := wrkStatus.FindStringSubmatch(text); m != nil {
		l.bad += integer(m[1])
	}
	if m := wrkSocket.FindStringSubmatch(text); m != nil {
		for _, n := range m[1:] {
			l.bad += integer(n)
		}
	}
	for _, m := range wrkRank.FindAllStringSubmatch(text, -1) {
		if m[1] == "50" {
			l.p50 = span(m[2], m[3])
		} else {
			l.p99 = span(m[2], m[3])
		}
	}
	return l, nil
}

// parseH2load reads what h2load prints. Only HTTP/2 will do.
func parseH2load(text string) (load, error) {
	total, requests := h2Total.FindStringSubmatch(text), h2Requests.FindStringSubmatch(text)
	status, traffic := h2Status.FindStringSubmatch(text), h2Traffic.FindStringSubmatch(text)
	if total == nil || requests == nil || status == nil || traffic == nil {
		return load{}, fmt.Errorf("h2load did not say how many requests it made: %s", brief(text))
	}
	if p := h2Protocol.FindStringSubmatch(text); p == nil || p[1] != "h2" {
		return load{}, fmt.Errorf("h2load was not answered in HTTP/2: %s", brief(text))
	}
	l := load{requests: integer(status[1]), seconds: span(total[1], total[2]).Seconds(), bytes: float64(integer(traffic[1]))}
	for _, n := range append(requests[1:], status[2:]...) {
		l.bad += integer(n)
	}
	return l, nil
}

// integer is the value of digits that an expression has found.
func integer(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64) // fails beyond 2^63, which nobody counts to
	return n
}

func span(number, unit string) time.Duration {
	d, _ := time.ParseDuration(number + unit) // the expressions allow only its units
	return d
}

// size is a number of bytes; the units of wrk are powers of 1024.
func size(number, unit string) float64 {
	n, _ := strconv.ParseFloat(number, 64) // the expression allows only digits and dots
	for _, u := range []string{"B", "KB", "MB", "GB", "TB"} {
		if u == unit {
			break
		}
		n *= 1024
	}
	return n
}

// brief is the beginning of a text on one line.
func brief(text string) string {
	s := strings.Join(strings.Fields(text), " ")
	return s[:min(len(s), 300)]
}
