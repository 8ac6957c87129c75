package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "directory for pictures of the page; empty = none are kept")

// binary is the program.
var binary string

// browser is the context of the one Chromium that all tests share; each opens a
// tab of its own.
var browser context.Context

// parallel is how many tests run at once, if -parallel does not say: they wait for
// events more than they compute.
const parallel = "4"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	flag.Parse()
	code, err := setUpAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		code = 1
	}
	os.Exit(code)
}

func setUpAndRun(m *testing.M) (int, error) {
	path, err := chromium()
	if err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "cacheproxy-browser-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "cacheproxy")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, "cacheproxy/cmd/cacheproxy").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the program: %w\n%s", err, out)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // its sandbox does not work for root; it only sees pages of this test
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", false),
		chromedp.Flag("lang", "en"),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var end context.CancelFunc
	browser, end = chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(browser); err != nil {
		return 1, fmt.Errorf("%s does not start: %w", path, err)
	}
	return m.Run(), nil
}

// chromium finds Debian's browser, and installs it where that is possible.
func chromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if os.Geteuid() != 0 {
		return "", errors.New("chromium is missing: as root, run apt-get install chromium")
	}
	fmt.Fprintln(os.Stderr, "browser: chromium is missing; installing it with apt-get")
	for _, args := range [][]string{{"update", "-q"}, {"install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-dejavu-core"}} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("chromium is missing and apt-get %s failed: %w\n%s", args[0], err, out)
		}
	}
	return exec.LookPath("chromium")
}
