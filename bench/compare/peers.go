package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// Roles of those who are compared.
const (
	ours  = "ours"
	rival = "rival"
	floor = "floor"
)

// peer is one of those who are compared.
type peer struct {
	name    string
	role    string
	program string // found in PATH for rivals, a file for ours
	pkg     string // Debian's
	asks    string // the argument that prints the version
	tls     bool   // TLS, with HTTP/1.1
	h2      bool   // TLS, with HTTP/2
	// command writes the configuration into s.Dir, and returns the command line.
	command func(p peer, s site) ([]string, error)
}

// site is what a peer has to know about its place.
type site struct {
	Dir             string
	Port, TLSPort   int // TLSPort is 0 where there is no TLS
	Origin          int // port
	Workers         int
	Files           uint64 // that it may open
	Cert, Key, Both string // files; Both is certificate and key
	Root            bool
}

var known = []peer{
	{name: "nginx", role: rival, program: "nginx", pkg: "nginx", asks: "-v", tls: true, h2: true, command: nginxCommand},
	{name: "haproxy", role: rival, program: "haproxy", pkg: "haproxy", asks: "-v", tls: true, h2: true, command: haproxyCommand},
	// The free edition leaves TLS to another program.
	{name: "varnish", role: rival, program: "varnishd", pkg: "varnish", asks: "-V", command: varnishCommand},
	{name: loopName, role: floor, tls: true, command: selfCommand},
	{name: nethttpName, role: floor, tls: true, h2: true, command: selfCommand},
}

func peerNames() []string {
	var names []string
	for _, p := range known {
		names = append(names, p.name)
	}
	return names
}

// does reports whether a peer can be measured in a scenario.
func (p peer) does(s scenario) bool {
	switch {
	case p.role == floor && s.want != hits:
		return false
	case s.proto == tls1:
		return p.tls
	case s.proto == tls2:
		return p.h2
	}
	return true
}

//go:embed peers
var templates embed.FS

// writeConfig renders a template into the peer's directory.
func writeConfig(name string, s site) (string, error) {
	t, err := template.ParseFS(templates, "peers/"+name+".tmpl")
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.Dir, name)
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return file, t.Execute(f, s)
}

func nginxCommand(p peer, s site) ([]string, error) {
	file, err := writeConfig("nginx.conf", s)
	return []string{p.program, "-e", filepath.Join(s.Dir, "error.log"), "-p", s.Dir, "-c", file}, err
}

func haproxyCommand(p peer, s site) ([]string, error) {
	file, err := writeConfig("haproxy.cfg", s)
	return []string{p.program, "-q", "-db", "-f", file}, err
}

func varnishCommand(p peer, s site) ([]string, error) {
	file, err := writeConfig("varnish.vcl", s)
	if err != nil {
		return nil, err
	}
	mask, err := silence(p.program)
	if err != nil {
		return nil, err
	}
	return []string{
		p.program, "-F", "-n", filepath.Join(s.Dir, "work"), "-f", file,
		"-j", "none", // no change of user: the directory belongs to whoever started the measurement
		"-T", "none", // nobody gives it commands
		"-a", addr(s.Port),
		"-s", "malloc,2g",
		"-p", "thread_pools=" + strconv.Itoa(s.Workers), // a pool is its unit of parallelism
		"-p", "thread_pool_min=100", // threads for 64 connections are there before the load is
		"-p", "thread_pool_max=2000", // and 1,000 clients do not queue for one
		"-p", "listen_depth=4096",
		"-p", "timeout_idle=300", // connections last for the whole measurement
		"-p", "vsl_mask=" + mask,
	}, nil
}

// silence switches every record of Varnish's shared-memory log off: it is its
// access log, and no peer writes one. There is no word for all, so the program
// is asked for the list.
func silence(varnishd string) (string, error) {
	out, err := hear(varnishd, "-x", "vsl")
	if err != nil {
		return "", fmt.Errorf("varnish: list of log records: %w", err)
	}
	tags := logTags(out)
	if len(tags) == 0 {
		return "", fmt.Errorf("varnish: '%s -x vsl' names no log records", varnishd)
	}
	return "-" + strings.Join(tags, ",-"), nil
}

// logTags finds the titles, which are underlined.
func logTags(text string) (tags []string) {
	before := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if before != "" && line == strings.Repeat("-", len(before)) {
			tags = append(tags, before)
		}
		before = line
	}
	return tags
}

// selfCommand starts this program again.
func selfCommand(p peer, s site) ([]string, error) {
	self, err := os.Executable()
	return append([]string{self, p.name, "--listen", addr(s.Port)}, tlsFlags(s)...), err
}

func oursCommand(p peer, s site) ([]string, error) {
	return append([]string{
		p.program, "--listen", addr(s.Port), "--origin", "http://" + addr(s.Origin),
		"--admin", "off", "--access-log", "off", "--cache-size", "2GiB",
	}, tlsFlags(s)...), nil
}

func tlsFlags(s site) []string {
	if s.TLSPort == 0 {
		return nil
	}
	return []string{"--tls-listen", addr(s.TLSPort), "--tls-cert", s.Cert, "--tls-key", s.Key}
}
