package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"cacheproxy/insight"
)

// errFindings is the error of a lint that found something.
var errFindings = errors.New("the origin's headers cost hits; see above")

// lintCommand says what origins could say better in their headers.
func lintCommand(env func(string) (string, bool)) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Say what origins could say better in their headers, as a running proxy has seen them; exit 1 if anything",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := newAdminClient(cmd, env)
			if err != nil {
				return err
			}
			var got struct {
				Findings []insight.Finding `json:"findings"`
			}
			if err := client.get(cmd.Context(), "/api/findings", nil, &got); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				e := json.NewEncoder(out)
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				return e.Encode(got.Findings)
			}
			return tellFindings(out, got.Findings)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON, and exit 0")
	addAdminFlags(cmd)
	return cmd
}

func tellFindings(out io.Writer, list []insight.Finding) error {
	if len(list) == 0 {
		fmt.Fprintln(out, "nothing found so far; findings come from what the origins answer")
		return nil
	}
	for _, f := range list {
		fmt.Fprintf(out, "%s  (route %s; responses: %d, misses: %d)\n  %s\n  for example %s\n\n",
			inert(f.Rule), inert(f.Route), f.Count, f.Misses, inert(f.Text), inert(f.Example))
	}
	return errFindings
}
