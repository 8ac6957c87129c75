package proxy

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestShown(t *testing.T) {
	for want, u := range map[string]*url.URL{
		"http://a.test":                   {Scheme: "http", Host: "a.test"},
		"http://me:xxxxx@a.test/a?b":      {Scheme: "http", Host: "a.test", User: url.UserPassword("me", "secret"), Path: "/a", RawQuery: "b"},
		"unix:/run/app.sock":              {Scheme: "http", Host: "/run/app.sock"},
		"unix:/run/app.sock:/a%20b?c=%20": {Scheme: "http", Host: "/run/app.sock", Path: "/a b", RawQuery: "c=%20"},
	} {
		assert.Equal(t, want, shown(u))
	}
}
