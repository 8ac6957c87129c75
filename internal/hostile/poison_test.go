package hostile

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/internal/witness"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

const evil = "evil.example"

// respond writes an answer with content.
func respond(status int, fields, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), fields, len(body), body)
}

// reflect is an origin that puts all it is told into an answer for everybody.
func reflect(a *witness.Asked) string {
	return respond(200, "Cache-Control: max-age=600\r\n", fmt.Sprint(a.Method, a.Target, a.Fields))
}

// get asks for a path with some fields and returns the only answer.
func (w *world) get(target string, lines ...string) answer {
	w.Helper()
	head := append([]string{"GET " + target + " HTTP/1.1", "Host: a.example"}, lines...)
	end := "Connection: close"
	for i, line := range head {
		if members, ok := strings.CutPrefix(line, "Connection: "); ok {
			head[i], end = "Connection: close, "+members, ""
		}
	}
	if end != "" {
		head = append(head, end)
	}
	answers, err := w.send([]byte(strings.Join(head, "\r\n") + "\r\n\r\n"))
	require.NoError(w, err)
	require.Len(w, answers, 1)
	return answers[0]
}

// unkeyed are fields that must not reach the origin from just anybody: those of
// the table, and the same in the spellings that servers take for them.
func unkeyed() (names []string) {
	for _, f := range proxy.UnkeyedFields {
		name, prefix := strings.CutSuffix(f.Name, "*")
		if !prefix {
			names = append(names, name, strings.ReplaceAll(name, "-", "_"), strings.ToUpper(name))
			continue
		}
		for _, end := range []string{
			"For", "Host", "Proto", "Protocol", "Port", "Prefix", "Scheme", "Server", "Ssl", "Path", "Uri", "By", "User", "Client-Cert", "Anything",
		} {
			names = append(names, name+end, strings.ReplaceAll(name+end, "-", "_"))
		}
	}
	return append(names, "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Proxy-Authorization", "Proxy-Authenticate", "X-Request-Id",
		"Content_Length", "content_length", "Transfer_Encoding", "TRANSFER_ENCODING", "Keep_Alive", "Proxy_Connection", "Proxy_Authorization")
}

// TestUnkeyedFieldsPoisonNothing: an attacker asks first, with a field that would
// change the answer; the victim gets the same answer from the store, without a
// trace of it.
func TestUnkeyedFieldsPoisonNothing(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.noLane, policy.DefaultRules(), reflect)
			for i, name := range unkeyed() {
				path := fmt.Sprintf("/%d", i)
				first := w.get(path, name+": "+evil)
				second := w.get(path)
				assert.NotContains(t, first.body, evil, "%s reached the origin", name)
				assert.Equal(t, first.body, second.body, "%s: it was stored, or this shows nothing", name)
			}
			all, faults := w.origin.All()
			assert.Len(t, all, len(unkeyed()), "one exchange for each")
			assert.Empty(t, faults)
		})
	}
}

// TestUnderscoresPoisonNothing: an origin that takes an underscore for a dash is not
// told by another name what it keeps apart by Vary, or what a request lacks.
func TestUnderscoresPoisonNothing(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.noLane, policy.DefaultRules(), func(a *witness.Asked) string {
				return respond(200, "Cache-Control: max-age=600\r\nVary: Accept-Language, Accept-Encoding, X-Api-Version\r\n", fmt.Sprint(a.Fields, a.Body))
			})
			for i, name := range []string{
				"Accept_Language", "accept_language", "ACCEPT_ENCODING", "X_Accept_Encoding", "X_Api-Version", "X-Api_Version", "Accept-Language_", "_Accept-Language",
				"If_None_Match", "If_Modified_Since", "Range_", "User_Agent", "Content_Type", "Max_Forwards", "Cdn_Loop", "Cache_Control",
			} {
				path := fmt.Sprintf("/%d", i)
				first := w.get(path, name+": "+evil)
				assert.NotContains(t, first.body, evil, "%s reached the origin", name)
				assert.Equal(t, first.body, w.get(path).body, "%s: it was stored, or this shows nothing", name)
			}
		})
	}
}

// TestTrustedPeersSpeakForTheirClients: what the table lets a trusted peer say is
// passed on, unless the proxy says it itself. The rest is not.
func TestTrustedPeersSpeakForTheirClients(t *testing.T) {
	w := newWorld(t, false, policy.DefaultRules(), reflect, netip.MustParsePrefix("127.0.0.0/8"))
	for i, f := range proxy.UnkeyedFields {
		name := strings.Replace(f.Name, "*", "Prefix", 1)
		got := w.get(fmt.Sprintf("/%d", i), name+": "+evil).body
		assert.Equal(t, f.Trusted, strings.Contains(got, evil), "%s: %s", name, got)
	}
}

// TestOrdinaryFieldsAreTheOriginsDuty: they are passed on, and an origin that
// names them in Vary is safe.
func TestOrdinaryFieldsAreTheOriginsDuty(t *testing.T) {
	ordinary := []string{
		"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cookie", "Content-Type", "Dnt", "Origin", "Prefer", "Referer",
		"Save-Data", "Sec-Ch-Ua", "User-Agent", "X-Api-Version", "X-Requested-With",
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.noLane, policy.DefaultRules(), func(a *witness.Asked) string {
				return respond(200, "Cache-Control: max-age=600\r\nVary: "+a.Target[1:]+"\r\n", fmt.Sprint(a.Fields))
			})
			for _, name := range ordinary {
				assert.Contains(t, w.get("/"+name, name+": "+evil).body, evil, "%s is passed on", name)
				assert.NotContains(t, w.get("/"+name).body, evil, name)
				assert.Contains(t, w.get("/"+name, name+": "+evil).body, evil, "%s: the attacker has an answer of its own", name)
			}
			all, _ := w.origin.All()
			assert.Len(t, all, 2*len(ordinary), "the third was answered from the store")
		})
	}
}

// TestConnectionTakesNoVariant: a field that the attacker takes away on the way
// does not make the answer without it that of the field's value.
func TestConnectionTakesNoVariant(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.noLane, policy.DefaultRules(), func(a *witness.Asked) string {
				return respond(200, "Cache-Control: max-age=600\r\nVary: Accept-Language\r\n", fmt.Sprint(a.Values("Accept-Language")))
			})
			assert.Equal(t, "[]", w.get("/a", "Connection: Accept-Language", "Accept-Language: de").body)
			assert.Equal(t, "[de]", w.get("/a", "Accept-Language: de").body)
			assert.Equal(t, "[]", w.get("/a").body)
		})
	}
}

// provoked is an origin that one client's field makes fail, in the worst way: it
// gives the failure a lifetime or what looks like one.
func provoked(lifetime string) func(*witness.Asked) string {
	return func(a *witness.Asked) string {
		if status := a.Values("Provoke"); len(status) == 1 {
			n, _ := strconv.Atoi(status[0])
			return respond(n, lifetime, "refused")
		}
		return respond(200, "Cache-Control: max-age=600\r\n", "fine")
	}
}

// TestProvokedErrorsAreNotStored: nobody gets an error that another client's
// header provoked. In profile default that holds whatever the origin says; in
// profile rfc9111 an origin may ask for it with an explicit lifetime.
func TestProvokedErrorsAreNotStored(t *testing.T) {
	const (
		explicit  = "Cache-Control: public, max-age=600\r\n"
		heuristic = "Last-Modified: Mon, 01 Jan 2018 00:00:00 GMT\r\n"
	)
	missing := map[int]bool{404: true, 410: true} // are about the URL, which is the key
	byRFC := policy.RFC9111Rules()
	for _, tc := range []struct {
		name, lifetime string
		rules          policy.Rules
		stored         func(status int) bool
	}{
		{"default", explicit, policy.DefaultRules(), func(status int) bool { return missing[status] }},
		{"rfc9111", heuristic, byRFC, func(status int) bool { return byRFC.Statuses.Rule(status) == policy.Heuristic }},
		{"rfc9111, explicit", explicit, byRFC, func(status int) bool { return byRFC.Statuses.Rule(status) != policy.Never }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, false, tc.rules, provoked(tc.lifetime))
			for status := 400; status < 600; status++ {
				if http.StatusText(status) == "" || status == http.StatusRequestTimeout {
					continue
				}
				path := fmt.Sprintf("/%d", status)
				assert.Equal(t, status, w.get(path, fmt.Sprintf("Provoke: %d", status)).status)
				want := http.StatusOK
				if tc.stored(status) {
					want = status
				}
				assert.Equal(t, want, w.get(path).status)
			}
		})
	}
}
