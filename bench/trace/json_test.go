package trace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJSON(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 14, 15, 0, time.UTC)
	want := Request{Method: "GET", Host: "example.com", Target: "/a?b=c", Status: 200, Size: 1024, Time: at}
	for name, line := range map[string]string{
		"nginx, by variables": `{"time_iso8601":"2024-02-29T13:14:15+01:00","remote_addr":"192.0.2.7","request_method":"GET",
			"request_uri":"/a?b=c","uri":"/rewritten","status":"200","body_bytes_sent":"1024","bytes_sent":"1300","host":"example.com","http_host":"example.com:80"}`,
		"nginx, numbers":        `{"time_local":"29/Feb/2024:13:14:15 +0100","method":"GET","uri":"/a","args":"b=c","status":200,"bytes_sent":1024,"server_name":"example.com"}`,
		"nginx, a request line": `{"msec":1709208855.000,"request":"GET /a?b=c HTTP/1.1","status":"200","body_bytes_sent":1024,"http_host":"example.com","uri":"/index.php"}`,
		"nginx, no escape":      `{"msec":"1709208855.000","request":"GET /a?b=c HTTP/1.1","status":"200","bytes":1024,"host":"example.com","agent":"a\x22b"}`,
		"Caddy": `{"level":"info","ts":1709208855,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.7",
			"proto":"HTTP/2.0","method":"GET","host":"example.com","uri":"/a?b=c","headers":{"User-Agent":["curl"]}},
			"bytes_read":0,"duration":0.01,"size":1024,"status":200,"resp_headers":{"Server":["Caddy"]}}`,
		"cacheproxy":  `{"time":"2024-02-29T12:14:15Z","method":"GET","host":"example.com","uri":"/a?b=c","status":200,"bytes":1024,"refused":"","action":"serve"}`,
		"a whole URL": `{"@timestamp":"2024-02-29T12:14:15Z","request":"GET http://example.com/a?b=c HTTP/1.1","status":200,"bytes":1024,"host":"ignored"}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseJSON(line)
			require.NoError(t, err)
			assert.True(t, got.Time.Equal(at), got.Time)
			got.Time = at
			assert.Equal(t, want, got)
		})
	}
}

func TestJSONWithLess(t *testing.T) {
	for _, tc := range []struct {
		name, line string
		want       Request
	}{
		{"only what is needed", `{"uri":"/a","bytes":5}`, Request{Method: "GET", Target: "/a", Size: 5}},
		{"a time that nobody can read", `{"uri":"/a","bytes":5,"time":"yesterday","ts":-1,"msec":1e300}`, Request{Method: "GET", Target: "/a", Size: 5}},
		{"arguments twice", `{"uri":"/a?b","args":"b","size":5}`, Request{Method: "GET", Target: "/a?b", Size: 5}},
		{"no arguments", `{"uri":"/a","args":"-","size":5}`, Request{Method: "GET", Target: "/a", Size: 5}},
		{"other types", `{"uri":"/a","size":5,"host":null,"args":{},"status":null,"time":[1]}`, Request{Method: "GET", Target: "/a", Size: 5}},
		{"method of the request line", `{"request":"PUT /a HTTP/1.1","request_uri":"/a","size":5}`, Request{Method: "PUT", Target: "/a", Size: 5}},
		{"passed", `{"uri":"/a","bytes":5,"action":"pass"}`, Request{Method: "GET", Target: "/a", Size: 5, Private: true}},
		{"no room", `{"uri":"/a","bytes":5,"action":"fetch","refused":"store-refused"}`, Request{Method: "GET", Target: "/a", Size: 5}},
		{"not stored", `{"uri":"/a","bytes":5,"action":"fetch","refused":"set-cookie"}`, Request{Method: "GET", Target: "/a", Size: 5, Private: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseJSON(tc.line)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestJSONRefuses(t *testing.T) {
	for _, tc := range []struct{ name, line, want string }{
		{"no JSON", `{"uri":"/a",`, "not a JSON object"},
		{"a list", `[1]`, "not a JSON object"},
		{"a hidden escape", `{"uri":"/a\x`, "not a JSON object"},
		{"no target", `{"size":5}`, "no target"},
		{"no size", `{"uri":"/a"}`, "no size"},
		{"a negative size", `{"uri":"/a","size":-5}`, `size "-5"`},
		{"half a byte", `{"uri":"/a","size":0.5}`, `size "0.5"`},
		{"a bad status", `{"uri":"/a","size":5,"status":0}`, `status "0"`},
		{"a bad method", `{"uri":"/a","size":5,"method":"G T"}`, `"G T" is not a method`},
		{"no request", `{"request":"","size":5}`, "no target"},
		{"a bad request", `{"request":"\u0016\u0003","size":5}`, "is not a request line"},
		{"a relative target", `{"uri":"a","size":5}`, "does not begin with a slash"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseJSON(tc.line)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}
