package warm

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"cacheproxy/bench/trace"
)

// mostCounted is how many URLs are counted at a time. Beyond it those with the fewest
// requests are forgotten, which a log with more URLs than that is full of.
const mostCounted = 1 << 20

// Log reads an access log, of a format that package trace knows, and returns the URLs
// that were asked for most often and answered with 200 to 399, at most so many. base is
// the scheme, and the host where the log names none, such as http://shop.example.com.
func Log(r *trace.Reader, base *url.URL, most int) ([]string, error) {
	counts := make(map[string]int)
	for {
		rq, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		host := cmp.Or(rq.Host, base.Host)
		if host == "" {
			return nil, fmt.Errorf("%s names no hosts: say which one it is of, such as with --base http://shop.example.com", r.Name())
		}
		if rq.Method != http.MethodGet || rq.Private || rq.Status != 0 && (rq.Status < 200 || rq.Status > 399) {
			continue
		}
		u := base.Scheme + "://" + host + rq.Target
		if check(u) != nil {
			continue
		}
		if counts[u]++; len(counts) > mostCounted {
			forgetRarest(counts)
		}
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("%s has no GET that was answered with 200 to 399", r.Name())
	}
	return mostFrequent(counts, most), nil
}

// forgetRarest makes room: what has the fewest requests goes, and all lose so many,
// so that what comes late has a chance.
func forgetRarest(counts map[string]int) {
	for len(counts) > mostCounted/2 {
		least := 0
		for _, n := range counts {
			if least == 0 || n < least {
				least = n
			}
		}
		for u, n := range counts {
			if n == least {
				delete(counts, u)
			} else {
				counts[u] = n - least
			}
		}
	}
}

func mostFrequent(counts map[string]int, most int) []string {
	urls := make([]string, 0, len(counts))
	for u := range counts {
		urls = append(urls, u)
	}
	slices.SortFunc(urls, func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	return urls[:min(len(urls), most)]
}
