package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func printed(t *testing.T, name string) string {
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

func TestParseWrk(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       load
	}{
		{"all well", printed(t, "wrk.txt"), load{
			requests: 15169, seconds: 1.01, bytes: 18.25 * 1024 * 1024,
			p50: 380 * time.Microsecond, p99: 42900 * time.Microsecond,
		}},
		{"errors of sockets and of status are bad answers", printed(t, "wrk-bad.txt"), load{
			requests: 20, seconds: 120, bytes: 976, bad: 1 + 2 + 3 + 4 + 5,
			p50: 1200 * time.Millisecond, p99: 90 * time.Second,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseWrk(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestParseH2load(t *testing.T) {
	got, err := parseH2load(printed(t, "h2load.txt"))
	require.NoError(t, err)
	assert.Equal(t, load{requests: 6779, seconds: 1.01, bytes: 6941696, bad: 3 + 4 + 5 + 6 + 7}, got)
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		parse      func(string) (load, error)
		want       string
	}{
		{"wrk without a connection", "unable to connect to 127.0.0.1:1 Connection refused\n", parseWrk, "wrk did not say how many requests it made: unable to connect"},
		{"wrk that is silent", "", parseWrk, "wrk did not say"},
		{"h2load without a result", "starting benchmark...\n", parseH2load, "h2load did not say how many requests it made: starting"},
		{"h2load that was answered in HTTP/1.1", strings.Replace(printed(t, "h2load.txt"), "protocol: h2", "protocol: http/1.1", 1), parseH2load, "not answered in HTTP/2"},
		{"h2load that does not tell the protocol", strings.Replace(printed(t, "h2load.txt"), "Application protocol: h2", "", 1), parseH2load, "not answered in HTTP/2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.parse(tc.text)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}
