package policy

import (
	"net/http"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/pquerna/cachecontrol/cacheobject"
)

// targeted returns the directives of the first field of the target list that
// is present, valid and not empty (RFC 9213, 2.2), and its name. When there is
// one, Cache-Control and Expires do not count; otherwise the name is empty.
func targeted(fields Fields, list []string) (d ResponseDirectives, field string) {
	for _, name := range list {
		lines := fields.Values(name)
		if len(lines) == 0 {
			continue
		}
		dict, err := httpsfv.UnmarshalDictionary(lines)
		if err != nil || len(dict.Names()) == 0 {
			continue
		}
		return targetedDirectives(dict), name
	}
	return d, ""
}

// targetedDirectives maps a structured dictionary to directives. Members of
// the wrong type are ignored (RFC 9213, 2.1); parameters too. A string is the
// qualified form of no-cache and private.
func targetedDirectives(dict *httpsfv.Dictionary) ResponseDirectives {
	var d ResponseDirectives
	flags := map[string]*bool{
		"no-store": &d.NoStore, "no-cache": &d.NoCache, "private": &d.Private, "public": &d.Public,
		"must-revalidate": &d.MustRevalidate, "proxy-revalidate": &d.ProxyRevalidate,
		"must-understand": &d.MustUnderstand, "immutable": &d.Immutable,
	}
	numbers := map[string]*lifetimeDirective{
		"max-age": &d.MaxAge, "s-maxage": &d.SMaxAge,
		"stale-while-revalidate": &d.StaleWhileRevalidate, "stale-if-error": &d.StaleIfError,
	}
	for _, name := range dict.Names() {
		member, _ := dict.Get(name)
		item, ok := member.(httpsfv.Item)
		if !ok {
			continue
		}
		switch v := item.Value.(type) {
		case bool:
			if flag := flags[name]; flag != nil {
				*flag = v
			}
		case int64:
			if n := numbers[name]; n != nil {
				n.join(min(v, int64(forever/time.Second)), v >= 0)
			}
		case string:
			d.addQualified(name, v)
		}
	}
	return d
}

func (d *ResponseDirectives) addQualified(name, value string) {
	if name != "no-cache" && name != "private" {
		return
	}
	list := make(cacheobject.FieldNames)
	for field := range strings.SplitSeq(value, ",") {
		list[http.CanonicalHeaderKey(trim(field))] = true
	}
	names, ok := fieldNames(list)
	if name == "private" {
		d.Private, d.PrivateFields = !ok, names
	} else {
		d.NoCache, d.NoCacheFields = !ok, names
	}
}
