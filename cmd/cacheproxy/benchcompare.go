package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"cacheproxy/bench/report"
)

// benchCompareCommand shows results of bench side by side.
func benchCompareCommand() *cobra.Command {
	var page string
	cmd := &cobra.Command{
		Use:   "compare A.json B.json...",
		Short: "Show results of bench --json side by side",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return compareRuns(args, page, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&page, "html", "", "write the comparison to this `FILE` as a web page")
	return cmd
}

// compareRuns prints a comparison, and writes it as a page if that has a name.
func compareRuns(files []string, page string, stdout io.Writer) error {
	if len(files) < 2 || len(files) > report.MostCompared {
		return usageError{fmt.Errorf("compare wants 2 to %d files of --json, not %d", report.MostCompared, len(files))}
	}
	c, err := report.Compare(files)
	if err != nil {
		return err
	}
	if err := c.Text(stdout); err != nil {
		return err
	}
	if page == "" {
		return nil
	}
	if err := writePage(page, c.Page); err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	return nil
}
