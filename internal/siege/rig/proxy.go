//go:build linux

package rig

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	build  sync.Once
	binary string
	failed error
)

// Build builds the binary once for all tests of a package. Clean removes it.
func Build(t testing.TB) string {
	t.Helper()
	build.Do(func() {
		var dir string
		if dir, failed = os.MkdirTemp("", "cacheproxy-rig-"); failed != nil {
			return
		}
		binary = filepath.Join(dir, "cacheproxy")
		if out, err := exec.Command("go", "build", "-o", binary, "cacheproxy/cmd/cacheproxy").CombinedOutput(); err != nil {
			failed = fmt.Errorf("building the binary under test: %w\n%s", err, out)
		}
	})
	require.NoError(t, failed)
	return binary
}

// Clean removes what Build made.
func Clean() {
	if binary != "" {
		_ = os.RemoveAll(filepath.Dir(binary))
	}
}

// Proxy is a cacheproxy in a process of its own.
type Proxy struct {
	*Process
	Addr  string // for clients
	Admin string // for operators
}

// StartProxy starts cacheproxy. The arguments follow those that say where it
// listens; admin.pprof must be set by them, or by the file that they name.
func StartProxy(t testing.TB, args ...string) *Proxy {
	t.Helper()
	p := &Proxy{Addr: FreeAddr(t), Admin: FreeAddr(t)}
	p.Process = Start(t, exec.Command(Build(t), append([]string{"--listen", p.Addr, "--admin", p.Admin}, args...)...))
	p.WaitListening(t, p.Addr)
	p.WaitListening(t, p.Admin)
	return p
}

// URL is that of a path, for clients.
func (p *Proxy) URL(path string) string { return "http://" + p.Addr + path }

// ask is a GET of the operator's side, on a connection of its own so that none is
// left open behind it.
func (p *Proxy) ask(path string) (string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: Patience}
	resp, err := client.Get("http://" + p.Admin + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", path, resp.Status, text)
	}
	return string(text), err
}

var total = regexp.MustCompile(`^goroutine profile: total (\d+)\n`)

// Goroutines counts the goroutines of the process; stacks says where they are.
// Those that answer this question are among them.
func (p *Proxy) Goroutines() (n int, stacks string, err error) {
	if stacks, err = p.ask("/debug/pprof/goroutine?debug=1"); err != nil {
		return 0, "", fmt.Errorf("goroutines: %w", err)
	}
	m := total.FindStringSubmatch(stacks)
	if m == nil {
		return 0, "", fmt.Errorf("no total in the profile of goroutines: %.100q", stacks)
	}
	n, err = strconv.Atoi(m[1])
	return n, stacks, err
}

// Metric is the sample of /metrics with this name and these labels, as they are
// written there; 0 if there is none.
func (p *Proxy) Metric(sample string) (float64, error) {
	text, err := p.ask("/metrics")
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(sample) + ` (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		return 0, nil
	}
	return strconv.ParseFloat(m[1], 64)
}

// FreeAddr gives a loopback address on which nobody listens: below the ports that
// the kernel gives to clients, so that none of those takes it meanwhile.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	require.FailNow(t, "no free port")
	return ""
}

// Eventually waits until holds says so, and otherwise fails with what why says.
func Eventually(t testing.TB, holds func() bool, why func() string) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			require.FailNow(t, "not so after "+Patience.String(), why())
		}
	}
}
