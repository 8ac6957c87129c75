package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFiveCommands runs what the README shows to a new user, and holds the output
// that stands there to what is printed.
func TestFiveCommands(t *testing.T) {
	_, section, found := strings.Cut(document(t, "README.md"), "\n## Five commands\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	shown := regexp.MustCompile("(?s)```sh\n(.*?)\n```\n+```\n(.*?)```").FindAllStringSubmatch(section, -1)
	require.Len(t, shown, 5)
	d := startDemo(t)
	for _, s := range shown {
		printed := bare(d.run(s[1]))
		for part := range strings.SplitSeq(s[2], "\n...\n") {
			_, rest, found := strings.Cut(printed, bare(part))
			require.True(t, found, "%s\nshows\n%s\nbut prints\n%s", s[1], bare(part), printed)
			printed = rest
		}
	}
	assert.Contains(t, d.head("http://127.0.0.1:8080/image.png"), "fwd=uri-miss", "it was purged")
}

// bare is a text whose times, numbers and line breaks do not matter.
func bare(text string) string {
	text = regexp.MustCompile(`(?:less than )?\d[\d.]* ?m?s\b`).ReplaceAllString(text, "T")
	text = regexp.MustCompile(`\d[\d.:]*`).ReplaceAllString(text, "N")
	return strings.Join(strings.Fields(text), " ")
}

// aDemo is a running demo, on addresses of its own.
type aDemo struct {
	*testing.T
	base, admin string
	tour        string
}

func startDemo(t *testing.T) *aDemo {
	d := &aDemo{T: t}
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := demo(ctx, "127.0.0.1:0", write, io.Discard)
		write.CloseWithError(io.ErrUnexpectedEOF)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
	lines := bufio.NewReader(read)
	for !strings.Contains(d.tour, "Ctrl-C") {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		d.tour += line
	}
	d.base = regexp.MustCompile(`on http://(\S+)\n`).FindStringSubmatch(d.tour)[1]
	d.admin = regexp.MustCompile(`curl -s http://(\S+)/metrics`).FindStringSubmatch(d.tour)[1]
	return d
}

// run does what a line of the README does, and returns what it prints.
func (d *aDemo) run(line string) string {
	words := strings.Fields(line)
	switch {
	case line == "bin/cacheproxy demo":
		return d.tour
	case words[0] == "curl": // -sI, and the lines with Cache-Status of that
		var all string
		for _, url := range regexp.MustCompile(`http://\S+`).FindAllString(line, -1) {
			all += "Cache-Status: " + d.head(url) + "\n"
		}
		return all
	}
	require.Equal(d, "bin/cacheproxy", words[0])
	for i := range words {
		words[i] = d.here(words[i])
	}
	code, stdout, stderr := command(d.Context(), map[string]string{"CACHEPROXY_ADMIN": d.admin}, words[1:]...)
	require.Zero(d, code, stderr)
	return stdout
}

// here is a URL of this demo.
func (d *aDemo) here(url string) string { return strings.Replace(url, "127.0.0.1:8080", d.base, 1) }

func (d *aDemo) head(url string) string {
	resp, err := http.Head(d.here(url))
	require.NoError(d, err)
	require.NoError(d, resp.Body.Close())
	return resp.Header.Get("Cache-Status")
}
