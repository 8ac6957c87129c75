package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const product = "cacheproxy"

// rivals are the peers of the table that were asked for, or those that are
// installed.
func rivals(names []string, progress io.Writer) ([]peer, error) {
	for _, n := range names {
		if !slices.Contains(peerNames(), n) {
			return nil, usageError{fmt.Errorf("--peers: %q is none of %s; cacheproxy is always there", n, strings.Join(peerNames(), ", "))}
		}
	}
	var out []peer
	for _, p := range known {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		if p.role == floor {
			out = append(out, p)
			continue
		}
		path, err := needTool(p.program, p.pkg, p.name)
		if err == nil {
			p.program = path
			out = append(out, p)
			continue
		}
		if len(names) > 0 {
			return nil, err
		}
		fmt.Fprintf(progress, "left out: %v\n", err)
	}
	return out, nil
}

// builds are the binaries of ours that are compared: those given, or one built
// from this tree.
func (r *run) builds(ctx context.Context) ([]peer, error) {
	if len(r.options.us) == 0 {
		file, err := r.compile(ctx)
		if err != nil {
			return nil, err
		}
		p, err := build(product, file)
		return []peer{p}, err
	}
	var out []peer
	for _, arg := range r.options.us {
		name, file, ok := strings.Cut(arg, "=")
		if !ok {
			name, file = filepath.Base(arg), arg
		}
		file, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		taken := func(p peer) bool { return p.name == name }
		switch st, err := os.Stat(file); {
		case name == "" || strings.ContainsAny(name, "/|"):
			return nil, usageError{fmt.Errorf("--us %s: %q is no name; write NAME=BINARY", arg, name)}
		case slices.ContainsFunc(out, taken) || slices.ContainsFunc(known, taken) || name == originName:
			return nil, usageError{fmt.Errorf("--us %s: the name %q is taken; write NAME=BINARY", arg, name)}
		case err != nil:
			return nil, usageError{fmt.Errorf("--us %s: %w", arg, err)}
		case st.IsDir() || st.Mode()&0o111 == 0:
			return nil, usageError{fmt.Errorf("--us %s: not a program", arg)}
		}
		p, err := build(name, file)
		if err != nil {
			return nil, fmt.Errorf("--us %s: %w", arg, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// build is a peer that is a binary of ours.
func build(name, file string) (peer, error) {
	if help, err := hear(file, "--help"); err != nil || !strings.Contains(help, "--tls-listen") {
		return peer{}, fmt.Errorf("%s is no build of %s that can be measured: its --help does not name --tls-listen", name, product)
	}
	return peer{name: name, role: ours, program: file, asks: "version", tls: true, h2: true, command: oursCommand}, nil
}

// compile builds cacheproxy from the tree that this program was built from.
func (r *run) compile(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	file := r.file(product)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", file, "./cmd/"+product)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/%s: %w\n%s", product, err, out)
	}
	return file, nil
}

// moduleRoot finds the tree of cacheproxy around the working directory.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || path != product {
		return "", errors.New("this is not the source tree of cacheproxy: run it there, or give a binary with --us")
	}
	return dir, nil
}

// describe is a result that says who measured what, where and how.
func (r *run) describe(args []string) *result {
	res := &result{
		Started: time.Now().UTC().Format("2006-01-02 15:04 MST"),
		Commit:  commit(),
		Rounds:  r.options.rounds,
		Secs:    r.options.secs,
		Machine: machine{CPU: cpuModel(), CPUs: r.cpus, Kernel: kernel(), Go: runtime.Version()},
		Tools:   make(map[string]string),
	}
	for _, a := range args {
		res.Command = append(res.Command, portable(a))
	}
	for name, path := range map[string]string{"wrk": r.generators.wrk, "h2load": r.generators.h2load} {
		arg := map[string]string{"wrk": "-v", "h2load": "--version"}[name]
		if path != "" {
			res.Tools[name] = version(path, arg)
		}
	}
	for _, p := range r.peers {
		v := runtime.Version()
		if p.program != "" {
			v = version(p.program, p.asks)
		}
		res.Peers = append(res.Peers, participant{Name: p.name, Role: p.role, Version: v})
	}
	return res
}

// portable shortens an argument that names a file on this machine: others have
// no use for its directory.
func portable(arg string) string {
	if filepath.IsAbs(arg) {
		return filepath.Base(arg)
	}
	if i := strings.Index(arg, "=/"); i >= 0 {
		return arg[:i+1] + filepath.Base(arg[i+1:])
	}
	return arg
}

// commit names the commit of the working directory, and says whether the tree
// was changed since.
func commit() string {
	out, err := hear("git", "rev-parse", "--short", "HEAD")
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(out)
	if changes, err := hear("git", "status", "--porcelain"); err != nil || changes != "" {
		name += " with changes"
	}
	return name
}
