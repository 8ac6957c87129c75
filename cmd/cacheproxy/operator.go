package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cacheproxy/config"
)

// Bounds of a question to a running proxy.
const (
	askTime   = 10 * time.Second
	askAnswer = 32 << 20 // bytes
)

// operator asks a running proxy on its admin address.
type operator struct {
	addr  string // to connect to
	token string // empty for none
}

// errNotOffered is the error of a question that the proxy does not answer.
var errNotOffered = errors.New("it does not offer this; it may be an older version, or another program")

func addOperatorFlags(f *pflag.FlagSet) {
	f.VarP(&textFlag{kind: "ADDR"}, "admin", "", "the proxy's admin address (default 127.0.0.1:8081)")
	f.VarP(&textFlag{kind: "TOKEN"}, "admin-token", "", "its token, if it has one")
	addConfigFlag(f, "the proxy's YAML file, which may say both")
}

// operatorOf finds address and token: flag > environment > file > default. A
// broken file counts only when nothing else gives the address: a proxy that
// refused it still runs.
func operatorOf(cmd *cobra.Command, env func(string) (string, bool)) (*operator, error) {
	c, given := config.Default(), false
	var broken error
	if path := configPath(cmd, env); path != "" {
		if c, broken = config.Load(path); broken != nil {
			c = config.Default()
		}
	}
	for _, s := range []struct{ flag, env, key string }{
		{"admin", "CACHEPROXY_ADMIN", "admin.listen"}, {"admin-token", "CACHEPROXY_ADMIN_TOKEN", "admin.token"},
	} {
		value, _ := env(s.env)
		from := s.env
		if f := cmd.Flags().Lookup(s.flag); f.Changed {
			value, from = f.Value.String(), "--"+s.flag
		}
		if value == "" {
			continue
		}
		if err := c.Set(s.key, value); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", from, err)}
		}
		given = given || s.flag == "admin"
	}
	switch {
	case broken != nil && !given:
		return nil, fmt.Errorf("no admin address: %w; or give it with --admin", broken)
	case c.Admin.Listen == "off":
		return nil, errors.New("the admin listener is off, so there is nobody to ask")
	}
	return &operator{addr: dialable(c.Admin.Listen), token: c.Admin.Token}, nil
}

// get asks for a path, and reads the answer into v.
func (o *operator) get(ctx context.Context, path string, query url.Values, v any) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	u := url.URL{Scheme: "http", Host: o.addr, Path: path, RawQuery: query.Encode()}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("address %q: %w", o.addr, err)
	}
	if o.token != "" {
		r.Header.Set("Authorization", "Bearer "+o.token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("no answer from %s: %w; is the proxy running, and is that its admin address (--admin)?", o.addr, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, askAnswer))
	if err != nil {
		return fmt.Errorf("%s%s: the answer broke off: %w", o.addr, path, err)
	}
	switch {
	case resp.StatusCode == http.StatusOK && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json"):
		if err := json.Unmarshal(body, v); err != nil {
			return fmt.Errorf("%s%s: the answer is not understood: %w", o.addr, path, err)
		}
		return nil
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s wants a token (%s): give it with --admin-token or CACHEPROXY_ADMIN_TOKEN", o.addr, resp.Status)
	case resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s%s: %w", o.addr, path, errNotOffered)
	}
	var said struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what is not JSON says nothing more
	return fmt.Errorf("%s%s answered %s %s", o.addr, path, resp.Status, inert(said.Error))
}
