package main

import "github.com/spf13/cobra"

func demoCommand() *cobra.Command {
	return &cobra.Command{Use: "demo", Short: "Serve a built-in origin through the cache, and say what to try"}
}
