// Command cacheproxy is a caching reverse proxy for HTTP. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// usageError is a mistake in how the command was called.
type usageError struct{ error }

// run runs a command line and returns its exit code.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	root := newRoot(env)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "cacheproxy: %v\nRun '%s --help' for usage.\n", err, cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "cacheproxy: %v\n", err)
	return exitFailed
}

const long = `cacheproxy is a caching reverse proxy: it answers from memory what it may,
asks the origin for the rest, and says with every response what it did and why
(the Cache-Status header).

  cacheproxy --origin http://127.0.0.1:3000          serve on :8080
  cacheproxy demo                                    a built-in origin, and what to try
  cacheproxy check --config cacheproxy.yaml          validate, print what is in effect

Settings come from flags, then the environment (CACHEPROXY_ORIGIN, ...), then
the file, then the defaults. Everything but the flags below is set in the file;
see docs/config.md.`

func newRoot(env func(string) (string, bool)) *cobra.Command {
	root := &cobra.Command{
		Use:           "cacheproxy",
		Short:         "A caching reverse proxy for HTTP",
		Long:          long,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serveCommand(cmd, env) },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	addSettingFlags(root.Flags())
	root.AddCommand(
		benchCommand(), checkCommand(env), demoCommand(), explainCommand(env), healthCommand(env), lintCommand(env), logsCommand(env), purgeCommand(env),
		refreshCommand(env), snapshotCommand(env), topCommand(env), versionCommand(), warmCommand(env),
	)
	return root
}

// noArgs refuses arguments, and names the command that may have been meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		hint = fmt.Sprintf("; did you mean %q?", s[0])
	}
	return usageError{fmt.Errorf("unknown command %q%s", args[0], hint)}
}
