package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// settings are the keys that also have a flag and an environment name. The
// check is that of Validate, so a bad value is refused where it was given.
var settings = []struct {
	key string
	env string
	set func(c *Config, value string) error
}{
	{"origin", "CACHEPROXY_ORIGIN", func(c *Config, v string) error { c.Origin = v; return checkOriginOrName(v) }},
	{"listen", "CACHEPROXY_LISTEN", func(c *Config, v string) error { c.Listen = v; return checkListen(v) }},
	{"tls.listen", "CACHEPROXY_TLS_LISTEN", func(c *Config, v string) error { c.TLS.Listen = v; return checkListen(v) }},
	{"tls.certificates[0].cert", "CACHEPROXY_TLS_CERT", func(c *Config, v string) error { c.onlyCertificate().Cert = v; return checkText(v) }},
	{"tls.certificates[0].key", "CACHEPROXY_TLS_KEY", func(c *Config, v string) error { c.onlyCertificate().Key = v; return checkText(v) }},
	{"tls.self_signed", "CACHEPROXY_TLS_SELF_SIGNED", func(c *Config, v string) error { return setBool(&c.TLS.SelfSigned, v) }},
	{"fast_lane", "CACHEPROXY_FAST_LANE", func(c *Config, v string) error { return setBool(&c.FastLane, v) }},
	{"admin.listen", "CACHEPROXY_ADMIN", func(c *Config, v string) error { c.Admin.Listen = v; return checkAdminListen(v) }},
	{"admin.token", "CACHEPROXY_ADMIN_TOKEN", func(c *Config, v string) error { c.Admin.Token = v; return checkSecret(v) }},
	{"cache.size", "CACHEPROXY_CACHE_SIZE", setCacheSize},
	{"cache.engine", "CACHEPROXY_CACHE_ENGINE", func(c *Config, v string) error { c.Cache.Engine = v; return oneOf(v, engines) }},
	{"profile", "CACHEPROXY_PROFILE", func(c *Config, v string) error { c.Profile = v; return oneOf(v, profiles) }},
	{"access_log.mode", "CACHEPROXY_ACCESS_LOG", func(c *Config, v string) error { c.AccessLog.Mode = v; return oneOf(v, logModes) }},
	{"drain_timeout", "CACHEPROXY_DRAIN_TIMEOUT", setDrainTimeout},
}

// checkOriginOrName leaves it to Validate whether there is an upstream of that name.
func checkOriginOrName(s string) error {
	if isUpstreamName(s) {
		return nil
	}
	return checkOrigin(s)
}

func setCacheSize(c *Config, value string) error {
	var size CacheSize
	if err := size.UnmarshalText([]byte(value)); err != nil {
		return err
	}
	c.Cache.Size = size
	c.fitMaxObject()
	return checkCacheSize(size)
}

func setDrainTimeout(c *Config, value string) error {
	d, err := ParseDuration(value)
	if err != nil {
		return err
	}
	c.DrainTimeout = d
	return checkDuration(d, 0, maxDrain)
}

func setBool(b *bool, value string) error {
	if value != "true" && value != "false" {
		return fmt.Errorf("%q is neither true nor false; write one of them", value)
	}
	*b = value == "true"
	return nil
}

// onlyCertificate is what a flag or the environment fills: the only entry of a
// list of its own, in place of what the file has.
func (c *Config) onlyCertificate() *Certificate {
	only := make([]Certificate, 1)
	if c.src.lines["tls.certificates"] == 0 {
		copy(only, c.TLS.Certificates)
	}
	c.TLS.Certificates = only
	return &only[0]
}

// Set gives one scalar, named by its YAML path (those of the table in
// docs/config.md under Environment), the value of a flag. The error names the
// key and what is allowed; c is then unchanged. The default
// of cache.max_object follows a small cache.size. What is set in
// tls.certificates[0] replaces the list of the file.
func (c *Config) Set(key, value string) error {
	for _, s := range settings {
		if s.key != key {
			continue
		}
		next := *c
		if err := s.set(&next, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		next.src.lines = maps.Clone(c.src.lines)
		delete(next.src.lines, key)
		if list, _, inList := strings.Cut(key, "["); inList {
			maps.DeleteFunc(next.src.lines, func(at string, _ int) bool { return strings.HasPrefix(at, list) })
		}
		*c = next
		return nil
	}
	var known []string
	for _, s := range settings {
		known = append(known, s.key)
	}
	return fmt.Errorf("%s: not a setting for flags or environment; those are %s", key, strings.Join(known, ", "))
}

// SetEnv applies the CACHEPROXY_ names of the environment; lookup is os.LookupEnv.
// An empty value counts as not set. All problems are reported, each with its name.
func (c *Config) SetEnv(lookup func(string) (string, bool)) error {
	var errs []error
	for _, s := range settings {
		value, ok := lookup(s.env)
		if !ok || value == "" {
			continue
		}
		if err := c.Set(s.key, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.env, err))
		}
	}
	return errors.Join(errs...)
}

// The words that a key may have.
var (
	profiles    = []string{"default", "rfc9111"}
	engines     = []string{"ristretto", "gdsf"}
	logModes    = []string{"off", "sampled", "full"}
	logFormats  = []string{"json", "combined"}
	setCookies  = []string{"refuse", "strip", "keep"}
	storeWords  = []string{"never", "explicit", "heuristic"}
	bypassWords = []string{"honor", "ignore"}
)

func oneOf(value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	hint := ""
	if near := closest(value, allowed); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Errorf("%q is not one of %s%s", value, strings.Join(allowed, ", "), hint)
}
