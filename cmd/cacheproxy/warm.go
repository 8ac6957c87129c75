package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"cacheproxy/admin"
	"cacheproxy/bench/trace"
	"cacheproxy/warm"
)

// refreshCommand fetches URLs anew.
func refreshCommand(env func(string) (string, bool)) *cobra.Command {
	o := &refreshOptions{all: true}
	cmd := &cobra.Command{
		Use:   "refresh URL...",
		Short: "Fetch URLs anew from the origin, whatever is stored",
		Long: `Fetch URLs anew from the origin and store what it answers, with all variants
(Vary) that are stored. Clients get the old response until the new one is
complete. URLs are as clients ask for them at the proxy.`,
		RunE: func(cmd *cobra.Command, urls []string) error {
			if len(urls) == 0 {
				return usageError{errors.New("name at least one URL, such as http://shop.example.com/page")}
			}
			return o.run(cmd, env, func(context.Context) ([]string, error) { return urls, nil })
		},
	}
	o.addFlags(cmd)
	return cmd
}

// warmCommand fetches what is not stored.
func warmCommand(env func(string) (string, bool)) *cobra.Command {
	o := &refreshOptions{onlyMissing: true}
	s := new(warmSource)
	cmd := &cobra.Command{
		Use:   "warm --list FILE | --sitemap URL | --log FILE",
		Short: "Fetch what is not stored yet, of a list, a sitemap or an access log",
		Long: `Fetch the URLs of a list, a sitemap or an access log that are not stored yet, or
not fresh any more. URLs are as clients ask for them at the proxy: with http://,
unless it speaks TLS itself or a trusted proxy tells it that the client did. Where
responses vary (Vary), send what clients send, such as -H "Accept-Encoding: gzip".`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return usageError{err}
			}
			return o.run(cmd, env, s.urls)
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.list, "list", "", "a `FILE` with a URL a line; - is standard input")
	f.StringVar(&s.sitemap, "sitemap", "", "the `URL` of a sitemap or sitemap index")
	f.StringVar(&s.log, "log", "", "an access log: the `FILE`, plain or gzip; - is standard input")
	f.IntVar(&s.top, "top", 1000, "of the log, the `N` URLs with the most requests")
	f.StringVar(&s.base, "base", "http://", "scheme, and host where the log has none, of the log's `URL`s")
	o.addFlags(cmd)
	return cmd
}

// refreshOptions say how URLs are fetched.
type refreshOptions struct {
	rate        float64
	headers     []string
	onlyMissing bool
	all         bool // tell of each URL, and not only of those that need attention
}

func (o *refreshOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Float64Var(&o.rate, "rate", 10, "how many URLs `N` a second")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "send a field along, as `\"Name: value\"`; may be repeated")
	addAdminFlags(cmd)
}

// fields are the header fields to send.
func (o *refreshOptions) fields() (map[string]string, error) {
	fields := make(map[string]string)
	for _, text := range o.headers {
		name, value, found := strings.Cut(text, ":")
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		if !found || name == "" {
			return nil, fmt.Errorf("-H %q: write it as \"Name: value\"", text)
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("-H: %s is given twice: give it once, with all values", name)
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// run fetches the URLs, and tells how it goes.
func (o *refreshOptions) run(cmd *cobra.Command, env func(string) (string, bool), urls func(context.Context) ([]string, error)) error {
	if !(o.rate >= 0.001 && o.rate <= admin.MostRefreshRate) {
		return usageError{fmt.Errorf("--rate %v: give a number of URLs a second from 0.001 to %d", o.rate, admin.MostRefreshRate)}
	}
	fields, err := o.fields()
	if err != nil {
		return usageError{err}
	}
	client, err := newAdminClient(cmd, env)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	all, err := urls(ctx)
	if err != nil {
		return err
	}
	r := &refreshing{
		client: client, total: len(all), out: cmd.OutOrStdout(), tellAll: o.all,
		rq: admin.RefreshRequest{Rate: o.rate, OnlyMissing: o.onlyMissing, Headers: fields},
	}
	return r.all(ctx, all, cmd.ErrOrStderr())
}

// warmSource is where the URLs to warm come from.
type warmSource struct {
	list, sitemap, log, base string
	top                      int
}

func (s *warmSource) check() error {
	given := 0
	for _, text := range []string{s.list, s.sitemap, s.log} {
		if text != "" {
			given++
		}
	}
	if given != 1 {
		return errors.New("give one of --list FILE, --sitemap URL and --log FILE")
	}
	if s.top < 1 || s.top > warm.MostURLs {
		return fmt.Errorf("--top %d: give a number from 1 to %d", s.top, warm.MostURLs)
	}
	_, err := s.baseURL()
	return err
}

func (s *warmSource) baseURL() (*url.URL, error) {
	u, err := url.Parse(s.base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("--base %q: write scheme and host, such as http://shop.example.com", s.base)
	}
	return u, nil
}

// urls reads the source.
func (s *warmSource) urls(ctx context.Context) ([]string, error) {
	switch {
	case s.sitemap != "":
		return warm.Sitemap(ctx, http.DefaultClient, s.sitemap)
	case s.log != "":
		base, err := s.baseURL()
		if err != nil {
			return nil, err
		}
		r, err := trace.Open(s.log)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return warm.Log(r, base, s.top)
	case s.list == "-":
		return warm.List("standard input", os.Stdin)
	}
	f, err := os.Open(s.list)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return warm.List(cmp.Or(s.list, "list"), f)
}
