package warm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// MostURLs is how many URLs are taken from a source.
const MostURLs = 1_000_000

// mostURL is how many bytes a URL may have.
const mostURL = 64 << 10

// List reads a list: a URL a line. Empty lines, and those that begin with #, are left
// out. The error names the line at fault; name is that of the list.
func List(name string, r io.Reader) (urls []string, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), mostURL)
	n := 0
	for lines.Scan() {
		n++
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		if err := check(text); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if len(urls) == MostURLs {
			return nil, fmt.Errorf("%s:%d: more than %d URLs: give it in parts", name, n, MostURLs)
		}
		urls = append(urls, text)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%s:%d: the line is longer than %d bytes", name, n+1, mostURL)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(urls) == 0:
		return nil, fmt.Errorf("%s: no URL in it: write one a line", name)
	}
	return urls, nil
}

// check says why a text is no URL that can be fetched.
func check(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(text) > mostURL {
		return fmt.Errorf("%.100q is no URL: write it with scheme and host, such as http://shop.example.com/page", text)
	}
	return nil
}
