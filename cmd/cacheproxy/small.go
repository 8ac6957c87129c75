package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
)

// checkCommand validates a configuration and prints what is in effect.
func checkCommand(env func(string) (string, bool)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Validate the configuration and print what is in effect",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd, env)
			if err != nil {
				return err
			}
			if err := checkCertificates(c); err != nil {
				return err
			}
			return c.Print(cmd.OutOrStdout(), false)
		},
	}
	addSettingFlags(cmd.Flags())
	return cmd
}

// healthCommand asks a running proxy how it is: for containers without a shell.
func healthCommand(env func(string) (string, bool)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the proxy on this machine whether it is up; exit 0 or 1",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := newAdminClient(cmd, env)
			if err != nil {
				return fmt.Errorf("health: %w", err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
			defer cancel()
			resp, err := c.send(ctx, http.MethodGet, "/healthz", "", nil)
			if err != nil {
				return fmt.Errorf("health: %w", err)
			}
			return resp.Body.Close()
		},
	}
	cmd.Flags().VarP(&textFlag{kind: "ADDR"}, "admin", "", "the proxy's admin address (default 127.0.0.1:8081)")
	addConfigFlag(cmd.Flags(), "the proxy's YAML file, which may say the admin address")
	return cmd
}

// dialable turns an address to listen on into one to connect to.
func dialable(addr string) string {
	if addr != "" && addr[0] == ':' {
		return "127.0.0.1" + addr
	}
	return addr
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "cacheproxy %s, %s, %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version is what the toolchain recorded: a tag or a commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
