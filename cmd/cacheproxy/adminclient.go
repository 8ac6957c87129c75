package main

import (
	"bytes"
	"cmp"
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

	"cacheproxy/config"
)

// Bounds of a question that is answered at once.
const (
	askTime   = 10 * time.Second
	askAnswer = 32 << 20 // bytes
)

// errNotOffered is the error of a question that the other side does not know.
var errNotOffered = errors.New("it is a proxy of an older release, or no cacheproxy")

// adminClient speaks with the operator's side of a running proxy.
type adminClient struct {
	addr  string // as in errors
	token string
	http  *http.Client
}

// addAdminFlags are the flags that say where the operator's side is.
func addAdminFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.VarP(&textFlag{kind: "ADDR"}, "admin", "", "the proxy's admin address (default 127.0.0.1:8081)")
	f.VarP(&textFlag{kind: "TOKEN"}, "admin-token", "", "the proxy's admin token; better in CACHEPROXY_ADMIN_TOKEN or the file")
	addConfigFlag(f, "the proxy's YAML file, which may say both")
}

func newAdminClient(cmd *cobra.Command, env func(string) (string, bool)) (*adminClient, error) {
	side, err := adminSide(cmd, env)
	if err != nil {
		return nil, err
	}
	if side.Listen == "off" {
		return nil, errors.New("the admin listener is off (admin.listen), so there is nobody to ask")
	}
	// No proxy of the environment: what is asked is often on this machine.
	return &adminClient{dialable(side.Listen), side.Token, &http.Client{Transport: &http.Transport{DisableCompression: true}}}, nil
}

// adminSide finds the operators' address and token as loadConfig does, but a broken
// file matters only when the address is to come from it: a proxy that refused the file
// still runs.
func adminSide(cmd *cobra.Command, env func(string) (string, bool)) (config.Admin, error) {
	c := config.Default()
	given, err := setAdmin(&c, cmd, env)
	if err != nil {
		return c.Admin, err
	}
	path := configPath(cmd, env)
	if path == "" || given.Listen != "" && given.Token != "" {
		return c.Admin, nil
	}
	file, err := config.Load(path)
	switch {
	case err == nil:
		return config.Admin{Listen: cmp.Or(given.Listen, file.Admin.Listen), Token: cmp.Or(given.Token, file.Admin.Token)}, nil
	case given.Listen == "":
		return c.Admin, fmt.Errorf("no admin address: %w; or give it with --admin", err)
	}
	return c.Admin, nil
}

// setAdmin sets what flags and environment say, and returns it.
func setAdmin(c *config.Config, cmd *cobra.Command, env func(string) (string, bool)) (given config.Admin, err error) {
	for _, s := range []struct {
		flag, name, key string
		to              *string
	}{
		{"admin", "CACHEPROXY_ADMIN", "admin.listen", &given.Listen},
		{"admin-token", "CACHEPROXY_ADMIN_TOKEN", "admin.token", &given.Token},
	} {
		text, _ := env(s.name)
		f := cmd.Flags().Lookup(s.flag)
		flagged := f != nil && f.Changed
		if flagged {
			text = f.Value.String()
		}
		if text == "" && !flagged {
			continue
		}
		*s.to = text
		switch err := c.Set(s.key, text); {
		case err != nil && flagged:
			return given, usageError{fmt.Errorf("--%s: %w", s.flag, err)}
		case err != nil:
			return given, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return given, nil
}

// send sends a request and returns the answer, if it is one of success. Errors name
// the address, and what to do.
func (c *adminClient) send(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr+path, body)
	if err != nil {
		return nil, fmt.Errorf("admin address %q: %w", c.addr, err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("no answer from %s: %w; is the proxy running, and is this its admin address? Otherwise give it with --admin", c.addr, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		path, _, _ = strings.Cut(path, "?")
		return nil, c.refused(resp, path)
	}
	return resp, nil
}

// refused is the error of an answer that is not one of success.
func (c *adminClient) refused(resp *http.Response, path string) error {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s wants the proxy's admin token: give it with CACHEPROXY_ADMIN_TOKEN, the --config file, or --admin-token", c.addr)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return c.notOffered(path)
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	var told struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(text, &told) == nil && told.Error != "" {
		return fmt.Errorf("%s: %s", c.addr, inert(told.Error))
	}
	return fmt.Errorf("%s answered %s: %s", c.addr, resp.Status, inert(strings.TrimSpace(string(text))))
}

func (c *adminClient) notOffered(path string) error {
	return fmt.Errorf("%s does not know %s: %w", c.addr, path, errNotOffered)
}

// get asks for a path, and reads the answer into v.
func (c *adminClient) get(ctx context.Context, path string, query url.Values, v any) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	target := path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	resp, err := c.send(ctx, http.MethodGet, target, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return c.notOffered(path)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, askAnswer)).Decode(v); err != nil {
		return fmt.Errorf("%s%s: the answer is not understood: %w", c.addr, path, err)
	}
	return nil
}

// post sends v as JSON.
func (c *adminClient) post(ctx context.Context, path string, v any) (*http.Response, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, http.MethodPost, path, "application/json", bytes.NewReader(body))
}

// eachLine calls fn with each JSON value of an answer in lines, as it comes. It returns
// an error of fn, or of reading.
func eachLine[T any](resp *http.Response, fn func(T) error) error {
	defer resp.Body.Close()
	for d := json.NewDecoder(resp.Body); ; {
		var v T
		switch err := d.Decode(&v); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := fn(v); err != nil {
			return err
		}
	}
}
