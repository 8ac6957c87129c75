package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cacheproxy/config"
	"cacheproxy/memory"
)

// settingFlags are the flags that set a key of the configuration.
var settingFlags = []struct{ flag, key, value, usage string }{
	{"origin", "origin", "URL", "the server to cache, such as http://127.0.0.1:3000"},
	{"listen", "listen", "ADDR", "where clients connect (default :8080)"},
	{"tls-listen", "tls.listen", "ADDR", "where clients connect over TLS, such as :8443 (default none)"},
	{"tls-cert", "tls.certificates[0].cert", "FILE", "the certificate for --tls-listen, PEM; changes are seen"},
	{"tls-key", "tls.certificates[0].key", "FILE", "its key, PEM"},
	{"tls-self-signed", "tls.self_signed", "bool", "instead: certificates of a development CA, made on first use"},
	{"fast-lane", "fast_lane", "BOOL", "false: every request takes the long way, to compare (default true)"},
	{"admin", "admin.listen", "ADDR", "where operators connect, or off (default 127.0.0.1:8081)"},
	{"admin-token", "admin.token", "TOKEN", "what operators must show; required when --admin is not loopback"},
	{"cache-size", "cache.size", "SIZE", "memory for stored responses, such as 1GiB or 60% (default 256MiB)"},
	{"cache-engine", "cache.engine", "NAME", "ristretto, or gdsf: keep more small objects (default ristretto)"},
	{"profile", "profile", "NAME", "default, or rfc9111: store all that the RFCs allow"},
	{"access-log", "access_log.mode", "MODE", "off, sampled or full (default sampled)"},
	{"drain-timeout", "drain_timeout", "TIME", "how long requests may take to finish on SIGTERM (default 30s)"},
}

func addSettingFlags(f *pflag.FlagSet) {
	addConfigFlag(f, "read settings from a YAML file; it is read again on SIGHUP and when it changes")
	for _, s := range settingFlags {
		flag := f.VarPF(&textFlag{kind: s.value}, s.flag, "", s.usage)
		if s.value == "bool" {
			flag.NoOptDefVal = "true" // --flag alone
		}
	}
}

func addConfigFlag(f *pflag.FlagSet, usage string) {
	f.VarP(&textFlag{kind: "FILE"}, "config", "c", usage)
}

// textFlag is a flag whose value is checked where it belongs.
type textFlag struct{ value, kind string }

func (t *textFlag) String() string     { return t.value }
func (t *textFlag) Set(s string) error { t.value = s; return nil }
func (t *textFlag) Type() string       { return t.kind }

// loadConfig puts the configuration together: flag > environment > file > default.
func loadConfig(cmd *cobra.Command, env func(string) (string, bool)) (config.Config, error) {
	c := config.Default()
	if path := configPath(cmd, env); path != "" {
		var err error
		if c, err = config.Load(path); err != nil {
			return c, err
		}
	}
	if err := c.SetEnv(env); err != nil {
		return c, err
	}
	for _, s := range settingFlags {
		f := cmd.Flags().Lookup(s.flag)
		if f == nil || !f.Changed {
			continue
		}
		if err := c.Set(s.key, f.Value.String()); err != nil {
			return c, usageError{fmt.Errorf("--%s: %w", s.flag, err)}
		}
	}
	if c.Origin == "" && len(c.Routes) == 0 {
		return c, usageError{errors.New("no origin: say which server to cache with --origin URL, CACHEPROXY_ORIGIN, or a --config file; or try 'cacheproxy demo'")}
	}
	c.Resolve(memory.Available)
	return c, c.Validate()
}

func configPath(cmd *cobra.Command, env func(string) (string, bool)) string {
	if f := cmd.Flags().Lookup("config"); f != nil && f.Changed {
		return f.Value.String()
	}
	path, _ := env("CACHEPROXY_CONFIG")
	return path
}
