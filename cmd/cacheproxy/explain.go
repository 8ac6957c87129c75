package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"cacheproxy/config"
	"cacheproxy/explain"
)

// explainCommand says why a URL is, or is not, answered from the store.
func explainCommand(env func(string) (string, bool)) *cobra.Command {
	var q explain.Request
	var lines []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain URL",
		Short: "Say why a URL is, or is not, answered from the store, step by step",
		Long: `Put a request through the running proxy, and say how it was decided and what to
change to get another result. With --origin no proxy has to run: the origin is
asked by one that is made for the question, by the rules of --config if given.`,
		Example: `  cacheproxy explain http://localhost:8080/ --twice
  cacheproxy explain https://shop.example.com/ -H 'Accept-Language: fr'
  cacheproxy explain http://localhost/ --origin http://127.0.0.1:3000 --twice`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("name one URL")}
			}
			q.URL = args[0]
			var err error
			if q.Headers, err = headerOf(lines); err != nil {
				return usageError{err}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			report, err := askForReport(ctx, cmd, env, q)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				return e.Encode(report)
			}
			return report.Text(cmd.OutOrStdout(), onTerminal(cmd.OutOrStdout()))
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&lines, "header", "H", nil, `a field of the request, "Name: value"; may be repeated`)
	f.StringVarP(&q.Method, "method", "X", "GET", "GET, HEAD or OPTIONS")
	f.BoolVar(&q.Twice, "twice", false, "ask a second time: is it answered from the store then?")
	f.BoolVar(&asJSON, "json", false, "print the report as JSON")
	f.VarP(&textFlag{kind: "URL"}, "origin", "", "ask this origin, without a running proxy")
	addAdminFlags(cmd)
	return cmd
}

// headerOf reads lines of a header. Those of one name are joined as HTTP does it.
func headerOf(lines []string) (map[string]string, error) {
	h := make(map[string]string)
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, fmt.Errorf(`-H %q: write it as "Name: value"`, line)
		}
		name = http.CanonicalHeaderKey(name)
		value = strings.TrimSpace(value)
		if old, again := h[name]; again {
			comma := ", "
			if name == "Cookie" { // RFC 6265, 4.2.1
				comma = "; "
			}
			value = old + comma + value
		}
		h[name] = value
	}
	return h, nil
}

// askForReport asks the running proxy, or an origin.
func askForReport(ctx context.Context, cmd *cobra.Command, env func(string) (string, bool), q explain.Request) (report explain.Report, err error) {
	if origin := cmd.Flags().Lookup("origin"); origin.Changed {
		return explainAlone(ctx, cmd, env, origin.Value.String(), q)
	}
	client, err := newAdminClient(cmd, env)
	if err != nil {
		return report, err
	}
	resp, err := client.post(ctx, "/api/explain", q)
	var nobody *net.OpError
	switch {
	case errors.As(err, &nobody):
		return report, fmt.Errorf("%w; without a running proxy, name the origin with --origin", err)
	case err != nil:
		return report, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&report); err != nil {
		return report, fmt.Errorf("the answer of %s: %w", client.addr, err)
	}
	return report, nil
}

// explainAlone asks an origin by the configuration's rules, and those of its routes,
// which all lead to this origin.
func explainAlone(ctx context.Context, cmd *cobra.Command, env func(string) (string, bool), origin string, q explain.Request) (report explain.Report, err error) {
	c := config.Default()
	c.Origin = origin
	if err := c.Validate(); err != nil {
		return report, usageError{fmt.Errorf("--origin: %w", err)}
	}
	if path := configPath(cmd, env); path != "" {
		if c, err = config.Load(path); err != nil {
			return report, err
		}
		if len(c.Routes) == 0 || c.Origin != "" {
			c.Origin = origin
		}
		for i := range c.Routes {
			c.Routes[i].Origin = origin
		}
		if err := c.Validate(); err != nil {
			return report, err
		}
	}
	w, err := wire(c, newToken(), nil)
	if err != nil {
		return report, err
	}
	defer w.origins.closeOthers(nil)
	return explain.Offline(ctx, explain.Setup{
		Config: w.proxy, MaxObject: int64(c.Cache.MaxObject), MaxVariants: c.Cache.MaxVariants,
	}, q)
}
