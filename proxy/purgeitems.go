package proxy

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cacheproxy/policy"
	"cacheproxy/purge"
)

// purgeItem is one thing that a request names, and the values of the marks for it.
type purgeItem struct {
	purge.Marked
	kind   purge.Kind
	values []string
}

func newItem(kind purge.Kind, told string, values ...string) purgeItem {
	return purgeItem{purge.Marked{Kind: kind.String(), Value: told}, kind, values}
}

func groupItem(origin, name string) purgeItem {
	item := newItem(purge.Group, name, name)
	item.Origin = origin
	return item
}

// marksOf returns the marks of items, in the order of their values.
func marksOf(items []purgeItem, soft bool) (marks []purge.Mark) {
	for _, item := range items {
		for _, value := range item.values {
			marks = append(marks, purge.Mark{Kind: item.kind, Value: value, Origin: item.Origin, Soft: soft})
		}
	}
	return marks
}

// purgeItems finds out what a request names, or what is wrong with it.
func (c *Config) purgeItems(rq *purge.Request) (items []purgeItem, err error) {
	switch n := rq.Items(); {
	case n == 0:
		return nil, purge.Errorf("nothing to purge: give urls, tags, hosts, prefixes, globs, groups or everything")
	case n > purge.MostItems:
		return nil, purge.Errorf("%d things to purge: give at most %d at a time", n, purge.MostItems)
	}
	read := func(name string, values []string, item func(string) (purgeItem, error)) {
		for i, v := range values {
			if err != nil {
				return
			}
			var it purgeItem
			if it, err = item(v); err != nil {
				err = purge.Errorf("%s[%d]: %q: %v", name, i, v, err)
			}
			items = append(items, it)
		}
	}
	read("urls", rq.URLs, c.urlItemOf)
	read("tags", rq.Tags, tagItem)
	read("hosts", rq.Hosts, hostItem)
	read("prefixes", rq.Prefixes, prefixItem)
	read("globs", rq.Globs, globItem)
	for i, g := range rq.Groups {
		if err != nil {
			break
		}
		var origin string
		if origin, err = originOf(g.Origin); err != nil {
			err = purge.Errorf("groups[%d].origin: %q: %v", i, g.Origin, err)
		}
		items = append(items, groupItem(origin, g.Name))
	}
	if rq.Everything {
		items = append(items, newItem(purge.Everything, "", ""))
	}
	return items, err
}

const wantURL = "give an absolute URL such as https://www.example.com/a?b=c"

func (c *Config) urlItemOf(text string) (purgeItem, error) {
	u, err := parseHTTP(text)
	if err != nil {
		return purgeItem{}, fmt.Errorf("%w: %s", err, wantURL)
	}
	return c.urlItem(u), nil
}

// urlItem is for a URL of either scheme, and in the spellings that clients use: who
// changes a page means all of them. The query is that of the key, by the rules of the URL.
func (c *Config) urlItem(u *url.URL) purgeItem {
	u.Host = policy.Host(u.Scheme, u.Host)
	host, path := hostOnly(u.Host), cleanPath(u.Path)
	if route := c.route(host, path); route != nil {
		u.RawQuery = route.settings(host, path, "").Query.Apply(u.RawQuery)
	}
	told := policy.Key(u)
	twin := *u
	twin.Scheme = map[string]string{"http": "https", "https": "http"}[u.Scheme]
	return newItem(purge.URL, told, append(spellings(told), spellings(policy.Key(&twin))...)...)
}

// Octets in percent encoding, and those that lack it: over HTTP/2 some programs send a
// query as it is.
var (
	encoded = regexp.MustCompile("%[0-9A-Fa-f]{2}")
	bare    = regexp.MustCompile("[^!-~]+")
)

// spellings returns a key as it is, as browsers write the same (RFC 3986, 6.2.2), and
// that with small letters, as some programs do. Keys are not normalised themselves: what
// is sent to the origin would not be what is asked for, or one spelling would be answered
// with what the origin said to another.
func spellings(key string) []string {
	normal := bare.ReplaceAllStringFunc(key, url.PathEscape)
	if !strings.Contains(normal, "%") {
		return []string{key}
	}
	normal = encoded.ReplaceAllStringFunc(normal, func(octet string) string {
		if c, _ := strconv.ParseUint(octet[1:], 16, 8); unreserved(byte(c)) {
			return string(rune(c))
		}
		return strings.ToUpper(octet)
	})
	all := []string{key, normal, encoded.ReplaceAllStringFunc(normal, strings.ToLower)}
	slices.Sort(all)
	return slices.Compact(all)
}

// unreserved reports whether a byte need not be encoded (RFC 3986, 2.3).
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// parseHTTP parses an absolute URL of http or https.
func parseHTTP(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("it does not begin with http:// or https://")
	case !validHost.MatchString(u.Host):
		return nil, fmt.Errorf("it has no valid host")
	case u.User != nil:
		return nil, fmt.Errorf("it has user information, which is not part of keys")
	}
	return u, nil
}

func originOf(text string) (string, error) {
	u, err := parseHTTP(text)
	if err == nil && (u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "") {
		err = fmt.Errorf("it has more than scheme, host and port")
	}
	if err != nil {
		return "", fmt.Errorf("%w: give an origin such as https://www.example.com", err)
	}
	return u.Scheme + "://" + policy.Host(u.Scheme, u.Host), nil
}

func tagItem(tag string) (purgeItem, error) {
	if tag == "" || strings.TrimSpace(tag) != tag || strings.ContainsAny(tag, "\r\n") {
		return purgeItem{}, fmt.Errorf("a tag is not empty, and has no white space around it")
	}
	return newItem(purge.Tag, tag, tag), nil
}

func hostItem(text string) (purgeItem, error) {
	host, err := hostOf(text)
	if err != nil {
		return purgeItem{}, err
	}
	return newItem(purge.Host, host, host), nil
}

// hostOf returns a host as keys have it, of whichever scheme.
func hostOf(text string) (string, error) {
	if !validHost.MatchString(text) {
		return "", fmt.Errorf("it is no host such as www.example.com or www.example.com:8080")
	}
	host := policy.Host("", text)
	if port := strings.TrimPrefix(host, hostOnly(host)); port == ":80" || port == ":443" {
		return "", fmt.Errorf("leave %s out: a host without a port is meant with any", port)
	}
	return host, nil
}

// splitPattern splits what is compared with keys: a scheme with its "://", if there
// is one, a host and the rest.
func splitPattern(text string) (scheme, host, rest string) {
	if i := strings.Index(text, "://"); i >= 0 {
		scheme, text = strings.ToLower(text[:i+len("://")]), text[i+len("://"):]
	}
	if i := strings.IndexByte(text, '/'); i >= 0 {
		text, rest = text[:i], text[i:]
	}
	return scheme, text, rest
}

// inKeys says why no key has a text in it: they are as URLs are sent.
func inKeys(text string) error {
	if i := strings.IndexFunc(text, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '#' }); i >= 0 {
		return fmt.Errorf("it could hit nothing, as URLs are stored in percent encoding: write it so from %q on", text[i:])
	}
	return nil
}

func prefixItem(text string) (purgeItem, error) {
	scheme, host, path := splitPattern(text)
	if host == "" || path == "" {
		return purgeItem{}, fmt.Errorf("give a host and the beginning of a path, such as www.example.com/news/")
	}
	if err := inKeys(path); err != nil {
		return purgeItem{}, err
	}
	var err error
	switch scheme {
	case "http://", "https://":
		if _, err = parseHTTP(scheme + host); err == nil {
			host = policy.Host(strings.TrimSuffix(scheme, "://"), host)
		}
	case "":
		host, err = hostOf(host)
	default:
		err = fmt.Errorf("the scheme is http, https or left out")
	}
	if err != nil {
		return purgeItem{}, err
	}
	return newItem(purge.Prefix, scheme+host+path, scheme+host+path), nil
}

func globItem(text string) (purgeItem, error) {
	scheme, host, rest := splitPattern(text)
	if !strings.Contains(host+rest, "*") && rest == "" {
		return purgeItem{}, fmt.Errorf("it could hit nothing, as every URL has a path: give a pattern such as www.example.com/*.jpg")
	}
	if err := inKeys(host + rest); err != nil {
		return purgeItem{}, err
	}
	glob := scheme + strings.ToLower(host) + rest
	return newItem(purge.Glob, glob, glob), nil
}

// summary tells in short what is purged.
func summary(items []purgeItem) string {
	const most = 8
	var b strings.Builder
	for i, item := range items {
		if i == most {
			fmt.Fprintf(&b, ", and %d more", len(items)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(item.Kind)
		for _, s := range []string{item.Origin, item.Value} {
			if s != "" {
				b.WriteString(" " + s[:min(len(s), 200)])
			}
		}
	}
	return b.String()
}
