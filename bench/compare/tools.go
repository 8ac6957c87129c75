package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// findTool finds a program, also where Debian keeps servers: those directories
// are not in everybody's PATH.
func findTool(name string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	for _, dir := range []string{"/usr/sbin/", "/usr/local/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path, true
		}
	}
	return "", false
}

// needTool is findTool with an error that says what to install.
func needTool(name, pkg, what string) (string, error) {
	path, ok := findTool(name)
	if !ok {
		return "", fmt.Errorf("%s needs %s, which is not installed: apt-get install --no-install-recommends %s", what, name, pkg)
	}
	return path, nil
}

// hear is what a program prints and is soon done with: within 10 s. Some tell
// their version to stderr, and some fail when asked for it.
func hear(program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("%s %s: no end within 10 s", program, strings.Join(args, " "))
	}
	return string(out), err
}

// version is the first line with a digit of what a program says about itself.
func version(program string, arg string) string {
	out, _ := hear(program, arg) // what it says counts, not how it ends
	for line := range strings.Lines(out) {
		if strings.ContainsAny(line, "0123456789") {
			return strings.TrimSpace(line)
		}
	}
	return "unknown"
}

// cpuModel is the name of the first CPU.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
