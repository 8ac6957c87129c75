package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"cacheproxy/purge"
)

// purgeCommand throws away what a running proxy has stored.
func purgeCommand(env func(string) (string, bool)) *cobra.Command {
	var rq purge.Request
	var groups []string
	cmd := &cobra.Command{
		Use:   "purge [URL...]",
		Short: "Throw away what a proxy has stored: by URL, tag, host, prefix, glob, or all",
		Example: `  cacheproxy purge https://shop.example.com/a https://shop.example.com/b
  cacheproxy purge --tag product-17 --soft
  cacheproxy purge --prefix shop.example.com/static/ --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rq.URLs = args
			for _, g := range groups {
				origin, name, found := cutLast(g, "#")
				if !found {
					return usageError{fmt.Errorf("--group %q: write the origin and the name, such as https://shop.example.com#products", g)}
				}
				rq.Groups = append(rq.Groups, purge.GroupName{Origin: origin, Name: name})
			}
			if rq.Items() == 0 {
				return usageError{errors.New("say what to purge: URLs, --tag, --host, --prefix, --glob, --group, or --everything")}
			}
			client, err := newAdminClient(cmd, env)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return askToPurge(ctx, client, &rq, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&rq.Tags, "tag", nil, "what has this tag (Cache-Tag, Surrogate-Key and the like)")
	f.StringArrayVar(&rq.Hosts, "host", nil, "what is stored for this host")
	f.StringArrayVar(&rq.Prefixes, "prefix", nil, "what begins so: a host and a path, with or without a scheme")
	f.StringArrayVar(&rq.Globs, "glob", nil, "what matches: * is any run of characters, ? exactly one")
	f.StringArrayVar(&groups, "group", nil, "what is in a cache group (RFC 9875): ORIGIN#NAME")
	f.BoolVar(&rq.Everything, "everything", false, "all there is")
	f.BoolVar(&rq.Soft, "soft", false, "make it stale: it is validated, or served stale where that is allowed")
	f.BoolVar(&rq.DryRun, "dry-run", false, "only say what would be hit, and list some of it")
	addAdminFlags(cmd)
	return cmd
}

// cutLast cuts around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func askToPurge(ctx context.Context, client *adminClient, rq *purge.Request, out io.Writer) error {
	resp, err := client.post(ctx, "/api/purge", rq)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var result purge.Result
	if err := json.NewDecoder(resp.Body).Decode(&result); err != nil {
		return fmt.Errorf("the answer of %s: %w", client.addr, err)
	}
	did := map[bool]string{false: "purged", true: "made stale"}[result.Soft]
	if result.DryRun {
		did = "would be " + did
	}
	for _, m := range result.Marks {
		if len(result.Marks) > 1 {
			fmt.Fprintf(out, "%8d  %s\n", m.Entries, inert(strings.Join(strings.Fields(m.Kind+" "+m.Origin+" "+m.Value), " ")))
		}
	}
	noun := "responses"
	if result.Purged == 1 {
		noun = "response"
	}
	fmt.Fprintf(out, "%d stored %s %s\n", result.Purged, noun, did)
	for _, url := range result.Examples {
		fmt.Fprintf(out, "  %s\n", inert(url))
	}
	if !result.Complete {
		served := "any more"
		if result.Soft {
			served = "as fresh"
		}
		fmt.Fprintln(out, "not all were counted in time; none of them is served "+served)
	}
	return nil
}
