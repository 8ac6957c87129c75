package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	binary string // the cacheproxy binary under test
	origin *nginx // the origin of most tests
)

func TestMain(m *testing.M) {
	code, err := setUpAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func setUpAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "cacheproxy-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)

	binary = filepath.Join(dir, "cacheproxy")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "cacheproxy/cmd/cacheproxy")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the binary under test: %w\n%s", err, out)
	}
	site := filepath.Join(dir, "site")
	if err := writeSite(site); err != nil {
		return 1, err
	}
	origin, err = startNginx(filepath.Join(dir, "nginx"), siteConfig(site))
	if err != nil {
		return 1, err
	}
	code := m.Run()
	return code, origin.stop()
}

// nginxBinary finds nginx, and installs it where that is possible.
func nginxBinary() (string, error) {
	if path, ok := lookNginx(); ok {
		return path, nil
	}
	if os.Geteuid() != 0 {
		return "", errors.New("nginx is missing: as root, run apt-get install nginx")
	}
	fmt.Fprintln(os.Stderr, "e2e: nginx is missing; installing it with apt-get")
	for _, args := range [][]string{{"update", "-q"}, {"install", "-y", "-q", "--no-install-recommends", "nginx"}} {
		cmd := exec.Command("apt-get", args...)
		// RUNLEVEL=1 keeps the package from starting a server of its own on port 80.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("nginx is missing and apt-get %s failed: %w\n%s", args[0], err, out)
		}
	}
	if path, ok := lookNginx(); ok {
		return path, nil
	}
	return "", errors.New("nginx is missing even after apt-get install nginx")
}

func lookNginx() (string, bool) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} { // sbin is not in everybody's PATH
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}
