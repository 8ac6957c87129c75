package warm

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Bounds of sitemaps. Those of sitemaps.org are 50 MB and 50,000 URLs for a file, and no
// index in an index.
const (
	mostSitemapBytes = 64 << 20 // of one file, unpacked
	mostSitemaps     = 10_000   // files in all
	mostSitemapDepth = 3        // of indexes in indexes
	sitemapTime      = 60 * time.Second
)

// Sitemap fetches a sitemap, or an index of some, plain or gzip, and returns the URLs in
// it. The error names the file that cannot be read.
func Sitemap(ctx context.Context, client *http.Client, from string) ([]string, error) {
	s := &sitemaps{client: client, seen: map[string]bool{}}
	if err := s.read(ctx, from, 0); err != nil {
		return nil, err
	}
	if len(s.urls) == 0 {
		return nil, fmt.Errorf("sitemap %s: no URL in it", from)
	}
	return s.urls, nil
}

type sitemaps struct {
	client *http.Client
	seen   map[string]bool // files
	urls   []string
}

// read fetches a file, and those that it names.
func (s *sitemaps) read(ctx context.Context, from string, depth int) error {
	switch err := check(from); {
	case err != nil:
		return fmt.Errorf("sitemap: %w", err)
	case s.seen[from]:
		return nil
	case depth > mostSitemapDepth:
		return fmt.Errorf("sitemap %s: it is in an index of an index of an index: give it by itself", from)
	case len(s.seen) == mostSitemaps:
		return fmt.Errorf("sitemap %s: there are more than %d files: give some of them by themselves", from, mostSitemaps)
	}
	s.seen[from] = true
	files, err := s.fetch(ctx, from)
	if err != nil {
		return fmt.Errorf("sitemap %s: %w", from, err)
	}
	for _, file := range files {
		if err := s.read(ctx, file, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads one file and returns those that it names.
func (s *sitemaps) fetch(ctx context.Context, from string) (files []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, sitemapTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it was answered with %s", resp.Status)
	}
	in, err := unpacked(resp.Body)
	if err != nil {
		return nil, err
	}
	return s.parse(in)
}

// unpacked reads what may be gzip, whatever its name and type say, up to the bound.
func unpacked(body io.Reader) (io.Reader, error) {
	in := bufio.NewReader(body)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		return &bounded{z, mostSitemapBytes}, nil
	}
	return &bounded{in, mostSitemapBytes}, nil
}

// bounded fails beyond so many bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("it is larger than %d bytes", mostSitemapBytes)
	}
	return n, err
}

// parse reads the loc elements of a urlset, and those of a sitemapindex, which are files.
func (s *sitemaps) parse(in io.Reader) (files []string, err error) {
	d := xml.NewDecoder(in)
	root, depth := "", 0
	for {
		token, err := d.Token()
		switch {
		case err == io.EOF && root != "":
			return files, nil
		case err == io.EOF:
			return nil, errors.New("it is no sitemap: there is no urlset or sitemapindex in it")
		case err != nil:
			return nil, err
		}
		switch e := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			if root == "" {
				root = e.Name.Local
			}
			if root != "urlset" && root != "sitemapindex" {
				return nil, fmt.Errorf("it is no sitemap: it begins with %.40q, and not with urlset or sitemapindex", root)
			}
			if depth != 3 || e.Name.Local != "loc" {
				continue
			}
			var text string
			if err := d.DecodeElement(&text, &e); err != nil {
				return nil, err
			}
			depth--
			if files, err = s.take(strings.TrimSpace(text), root, files); err != nil {
				return nil, err
			}
		}
	}
}

// take notes what a loc names.
func (s *sitemaps) take(text, root string, files []string) ([]string, error) {
	if err := check(text); err != nil {
		return nil, err
	}
	switch {
	case root == "sitemapindex" && len(files) == mostSitemaps:
		return nil, fmt.Errorf("it names more than %d files", mostSitemaps)
	case root == "sitemapindex":
		return append(files, text), nil
	case len(s.urls) == MostURLs:
		return nil, fmt.Errorf("there are more than %d URLs: give some of the files by themselves", MostURLs)
	}
	s.urls = append(s.urls, text)
	return files, nil
}
