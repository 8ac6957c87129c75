package config

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSet(t *testing.T) {
	tests := []struct {
		key, value string
		get        func(Config) any
		want       any
	}{
		{"origin", "http://a.example", func(c Config) any { return c.Origin }, "http://a.example"},
		{"listen", "[::1]:80", func(c Config) any { return c.Listen }, "[::1]:80"},
		{"tls.listen", ":8443", func(c Config) any { return c.TLS.Listen }, ":8443"},
		{"tls.certificates[0].cert", "c.pem", func(c Config) any { return c.TLS.Certificates }, []Certificate{{Cert: "c.pem"}}},
		{"tls.certificates[0].key", "k.pem", func(c Config) any { return c.TLS.Certificates }, []Certificate{{Key: "k.pem"}}},
		{"tls.self_signed", "true", func(c Config) any { return c.TLS.SelfSigned }, true},
		{"fast_lane", "false", func(c Config) any { return c.FastLane }, false},
		{"admin.listen", "off", func(c Config) any { return c.Admin.Listen }, "off"},
		{"admin.token", "t0ken", func(c Config) any { return c.Admin.Token }, "t0ken"},
		{"cache.size", "1GiB", func(c Config) any { return c.Cache.Size }, CacheSize(1 << 30)},
		{"cache.engine", "gdsf", func(c Config) any { return c.Cache.Engine }, "gdsf"},
		{"profile", "rfc9111", func(c Config) any { return c.Profile }, "rfc9111"},
		{"access_log.mode", "full", func(c Config) any { return c.AccessLog.Mode }, "full"},
		{"drain_timeout", "0s", func(c Config) any { return c.DrainTimeout }, Duration(0)},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			c := Default()
			require.NoError(t, c.Set(tt.key, tt.value))
			assert.Equal(t, tt.want, tt.get(c))
		})
	}
	assert.Len(t, tests, len(settings), "every setting has a row")
}

func TestSetRefuses(t *testing.T) {
	tests := []struct{ key, value, want string }{
		{"origin", "", "origin: is empty; write the origin's address, for example http://127.0.0.1:3000"},
		{"origin", "a.example:80", `origin: "a.example:80" has no scheme; write http://a.example:80`},
		{"listen", "8080", `listen: "8080" is not an address; write host:port, or :port for all interfaces, for example :8080`},
		{"tls.listen", "off", `tls.listen: "off" is not an address; write host:port, or :port for all interfaces, for example :8080`},
		{"tls.certificates[0].cert", "", "tls.certificates[0].cert: is empty; give it a value or delete the key"},
		{"tls.self_signed", "yes", `tls.self_signed: "yes" is neither true nor false; write one of them`},
		{"fast_lane", "off", `fast_lane: "off" is neither true nor false; write one of them`},
		{"admin.listen", ":x", `admin.listen: port "x" is not a number from 0 to 65535 (off is for no admin side)`},
		{"admin.token", "a\nb", "admin.token: must be visible ASCII characters without spaces, as it travels in a header"},
		{"cache.size", "1M", `cache.size: unknown unit "M"; use B, KiB, MiB, GiB, TiB, KB, MB, GB or TB`},
		{"cache.size", "0%", `cache.size: "0%" is not a share of memory; write a whole number from 1% to 80%, for example 60%`},
		{"cache.size", "+60%", `cache.size: "+60%" is not a share of memory; write a whole number from 1% to 80%, for example 60%`},
		{"cache.size", "12.5%", `cache.size: "12.5%" is not a share of memory; write a whole number from 1% to 80%, for example 60%`},
		{"cache.engine", "lru", `cache.engine: "lru" is not one of ristretto, gdsf`},
		{"cache.size", "2TiB", "cache.size: 2TiB is out of range; use 1MiB to 1TiB"},
		{"profile", "defualt", `profile: "defualt" is not one of default, rfc9111; did you mean default?`},
		{"access_log.mode", "on", `access_log.mode: "on" is not one of off, sampled, full`},
		{"drain_timeout", "30", `drain_timeout: "30" has no unit; write 30s for seconds, or use ms, m, h or d`},
		{"drain_timeout", "2h", "drain_timeout: 2h is out of range; use 0s to 1h"},
		{"cache.max_object", "1MiB", "cache.max_object: not a setting for flags or environment; those are origin, listen, tls.listen, tls.certificates[0].cert, tls.certificates[0].key, tls.self_signed, fast_lane, admin.listen, admin.token, cache.size, cache.engine, profile, access_log.mode, drain_timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.key+" "+tt.value, func(t *testing.T) {
			c := Default()
			require.EqualError(t, c.Set(tt.key, tt.value), tt.want)
			assert.Equal(t, Default(), c, "a refused value changes nothing")
		})
	}
}

func TestSetTakesTheKeyOutOfItsFile(t *testing.T) {
	c := mustParse(t, "origin: http://a.example\nadmin:\n  listen: 127.0.0.1:1\n")
	before := c
	require.NoError(t, c.Set("admin.listen", ":1"))
	require.EqualError(t, c.Validate(), `test.yaml:2: admin.listen: ":1" can be reached by others; set admin.token, or listen on 127.0.0.1`)
	before.Admin.Listen = ":1"
	require.ErrorContains(t, before.Validate(), "test.yaml:3: ", "a copy keeps its own lines")
}

// The certificate of flags and environment takes the place of those in the file,
// and a flag for one half leaves the other half of the environment alone.
func TestSetReplacesTheCertificatesOfTheFile(t *testing.T) {
	file := mustParse(t, "origin: http://a.example\ntls:\n  listen: :8443\n  certificates:\n    - {cert: a, key: b}\n    - {cert: c, key: d}\n")
	c := file
	require.NoError(t, c.Set("tls.certificates[0].cert", "e"))
	require.EqualError(t, c.Validate(), "test.yaml:2: tls.certificates[0].key: is missing; name the file with the key (--tls-key), which may be the same one")
	require.NoError(t, c.Set("tls.certificates[0].key", "f"))
	require.NoError(t, c.Set("tls.certificates[0].cert", "g"))
	require.NoError(t, c.Validate())
	assert.Equal(t, []Certificate{{"g", "f"}}, c.TLS.Certificates)
	assert.Equal(t, []Certificate{{"a", "b"}, {"c", "d"}}, file.TLS.Certificates, "a copy keeps its own")
}

func TestBlameNamesFileLineAndKey(t *testing.T) {
	c := mustParse(t, "tls:\n  certificates:\n    - {cert: a, key: b}\n    - {cert: c, key: d}\n")
	fault := errors.New("no such file")
	require.EqualError(t, c.Blame("tls.certificates[1]", fault), "test.yaml:4: tls.certificates[1]: no such file")
	require.EqualError(t, Default().Blame("tls.certificates[0]", fault), "tls.certificates[0]: no such file")
}

func TestMaxObjectFollowsASmallCache(t *testing.T) {
	c := Default()
	require.NoError(t, c.Set("cache.size", "1MiB"))
	assert.Equal(t, Size(512<<10), c.Cache.MaxObject)
	require.NoError(t, c.Set("cache.size", "1GiB"))
	assert.Equal(t, Size(defaultMaxObject), c.Cache.MaxObject, "a later source wins whole")

	c = mustParse(t, "origin: http://a.example\ncache: {size: 2MiB}\n")
	assert.Equal(t, Size(1<<20), c.Cache.MaxObject)

	c = mustParse(t, "origin: http://a.example\ncache: {max_object: 2MiB}\n")
	require.NoError(t, c.Set("cache.size", "1MiB"))
	require.EqualError(t, c.Validate(), "test.yaml:2: cache.max_object: 2MiB is more than cache.size (1MiB); lower it or raise cache.size")
}

// A share of memory becomes bytes, and the limits that depend on the size follow.
func TestResolve(t *testing.T) {
	for _, tc := range []struct {
		size      string
		memory    int64
		want      string
		maxObject Size
	}{
		{"60%", 1 << 30, "614MiB", defaultMaxObject},
		{"1%", 1 << 30, "10MiB", 5 << 20},
		{"80%", 1000, "1MiB", 512 << 10},
		{"32MiB", 1 << 30, "32MiB", 16 << 20},
	} {
		c := mustParse(t, "origin: http://a.example\ncache: {size: "+tc.size+"}\n")
		require.NoError(t, c.Validate(), "before it is known how much that is")
		assert.Equal(t, tc.size, c.Cache.Size.String(), "it prints as it was written")
		c.Resolve(func() int64 { return tc.memory })
		require.NoError(t, c.Validate())
		assert.Equal(t, tc.want, c.Cache.Size.String())
		assert.Equal(t, tc.maxObject, c.Cache.MaxObject)
	}
	c := mustParse(t, "origin: http://a.example\ncache: {size: 1%, max_object: 2MiB}\n")
	c.Resolve(func() int64 { return 100 << 20 })
	require.EqualError(t, c.Validate(), "test.yaml:2: cache.max_object: 2MiB is more than cache.size (1MiB); lower it or raise cache.size")
}

func TestSetEnv(t *testing.T) {
	env := map[string]string{
		"CACHEPROXY_ORIGIN":        "http://env.example",
		"CACHEPROXY_LISTEN":        "",
		"CACHEPROXY_TLS_LISTEN":    ":8443",
		"CACHEPROXY_TLS_CERT":      "c.pem",
		"CACHEPROXY_TLS_KEY":       "k.pem",
		"CACHEPROXY_FAST_LANE":     "false",
		"CACHEPROXY_ADMIN":         "127.0.0.1:9",
		"CACHEPROXY_ADMIN_TOKEN":   "t0ken",
		"CACHEPROXY_CACHE_SIZE":    "32MiB",
		"CACHEPROXY_CACHE_ENGINE":  "gdsf",
		"CACHEPROXY_PROFILE":       "rfc9111",
		"CACHEPROXY_ACCESS_LOG":    "off",
		"CACHEPROXY_DRAIN_TIMEOUT": "1m",
		"CACHEPROXY_OTHER":         "is none of ours",
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	c := mustParse(t, "origin: http://file.example\nlisten: \":9000\"\n")
	require.NoError(t, c.SetEnv(lookup))
	require.NoError(t, c.Validate())

	want := Default()
	want.Origin = "http://env.example"
	want.Listen = ":9000" // an empty name in the environment is none
	want.TLS = TLS{Listen: ":8443", Certificates: []Certificate{{Cert: "c.pem", Key: "k.pem"}}}
	want.FastLane = false
	want.Admin.Listen, want.Admin.Token = "127.0.0.1:9", "t0ken"
	want.Cache.Size, want.Cache.MaxObject = 32<<20, 16<<20
	want.Cache.Engine = "gdsf"
	want.Profile = "rfc9111"
	want.AccessLog.Mode = "off"
	want.DrainTimeout = 60 * second
	assert.Equal(t, want, values(c))
}

func TestSetEnvReportsAll(t *testing.T) {
	env := map[string]string{"CACHEPROXY_PROFILE": "x", "CACHEPROXY_DRAIN_TIMEOUT": "5", "CACHEPROXY_CACHE_SIZE": "2MiB"}
	c := Default()
	err := c.SetEnv(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	require.EqualError(t, err, `CACHEPROXY_PROFILE: profile: "x" is not one of default, rfc9111`+"\n"+
		`CACHEPROXY_DRAIN_TIMEOUT: drain_timeout: "5" has no unit; write 5s for seconds, or use ms, m, h or d`)
}
