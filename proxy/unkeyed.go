package proxy

import "strings"

// Unkeyed is a request field that is not passed on: by convention origins let it
// change their answer, and it is no part of the key, so that one client could
// poison what others get.
type Unkeyed struct {
	Name    string // canonical; with a final * any that begins so
	Trusted bool   // a trusted peer's is passed on
	Means   string // what origins take it for
}

// UnkeyedFields is the whole list, beside all names with an underscore; see
// [Config.Underscores]. All other fields, such as Accept-Language, Cookie and
// User-Agent, are passed on; an origin whose answer depends on one of them has to
// say so in Vary.
var UnkeyedFields = []Unkeyed{
	{"X-Http-Method", false, "another method"},
	{"X-Http-Method-Override", false, "another method"},
	{"X-Method-Override", false, "another method"},
	{"X-Original-Url", false, "another path"},
	{"X-Original-Uri", false, "another path"},
	{"X-Original-Path", false, "another path"},
	{"X-Rewrite-Url", false, "another path"},
	{"X-Rewrite-Uri", false, "another path"},
	{"X-Http-Path-Override", false, "another path"},
	{"X-Http-Destinationurl", false, "another path"},
	{"Proxy", false, "HTTP_PROXY, in CGI: through what it asks other servers"},
	{"X-Forwarded-*", true, "the scheme, host, port, path prefix, client or user of the first hop"},
	{"X-Forwarded", true, "what Forwarded says"},
	{"Forwarded", true, "what X-Forwarded-For, -Host and -Proto say"},
	{"X-Original-Host", true, "another host"},
	{"X-Host", true, "another host"},
	{"X-Http-Host-Override", true, "another host"},
	{"X-Scheme", true, "another scheme"},
	{"X-Url-Scheme", true, "another scheme"},
	{"Front-End-Https", true, "another scheme"},
	{"X-Script-Name", true, "a path prefix"},
	{"X-Real-Ip", true, "the client's address"},
	{"X-Client-Ip", true, "the client's address"},
	{"X-Cluster-Client-Ip", true, "the client's address"},
	{"Client-Ip", true, "the client's address"},
	{"True-Client-Ip", true, "the client's address"},
	{"Cf-Connecting-Ip", true, "the client's address"},
	{"Fastly-Client-Ip", true, "the client's address"},
	{"X-Sendfile-Type", true, "a file in place of content, for a server in front to send"},
	{"X-Accel-Mapping", true, "a file in place of content, for a server in front to send"},
}

// unkeyedNames maps the names of UnkeyedFields in small letters to whether those
// of a trusted peer are passed on.
var unkeyedNames = func() map[string]bool {
	names := make(map[string]bool, len(UnkeyedFields))
	for _, f := range UnkeyedFields {
		names[strings.ToLower(f.Name)] = f.Trusted
	}
	return names
}()

// framing has the fields of a request's framing and of a single connection whose names
// have a dash. Our own are written by what sends the request; those with an underscore
// are never passed on.
var framing = map[string]bool{
	"content-length": true, "transfer-encoding": true, "keep-alive": true, "proxy-connection": true,
	"proxy-authorization": true, "proxy-authenticate": true,
}

// unkeyed reports whether a field is not passed on. Many origins take an underscore for
// a dash: then Accept_Language is Accept-Language by another name, by which no Vary
// tells answers apart, and X_Original_URL is what was dropped.
func (c *Config) unkeyed(name string, trusted bool) bool {
	if !c.Underscores && strings.IndexByte(name, '_') >= 0 {
		return true
	}
	if !suspect(name) {
		return false
	}
	spelled := strings.ToLower(name)
	name = strings.ReplaceAll(spelled, "_", "-")
	if framing[name] && name != spelled {
		return true
	}
	passed, listed := unkeyedNames[name]
	if !listed && strings.HasPrefix(name, "x-forwarded-") {
		passed, listed = unkeyedNames["x-forwarded-*"]
	}
	return listed && !(passed && trusted)
}

// unkeyedLetters has the first letters of UnkeyedFields and framing, small, as marks.
var unkeyedLetters = func() (marks [256]bool) {
	for name := range unkeyedNames {
		marks[name[0]] = true
	}
	for name := range framing {
		marks[name[0]] = true
	}
	return marks
}()

// suspect reports whether a field may be one of the list, by its first letter.
func suspect(name string) bool { return name != "" && unkeyedLetters[name[0]|0x20] }
