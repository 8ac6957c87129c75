package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// generators are the load generators: wrk for HTTP/1.1, h2load for HTTP/2.
type generators struct {
	dir         string // for scripts
	wrk, h2load string // programs
}

// script makes wrk choose from many URLs: at random, or in turn. Requests are
// made before the load begins. Each thread has a sequence of its own that is
// the same every time.
const script = `local requests = {}
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("place", threads)
end

function init()
  math.randomseed(place)
  last = math.random(%[2]d)
  for n = 1, %[2]d do
    requests[n] = wrk.format("GET", "/%[1]s/" .. n)
  end
end

function request()
  last = %[3]s
  return requests[last]
end
`

// choice is how a script finds the number of the next object. What is not a hit
// is asked for in turn, so that two clients do not want the same thing at the
// same moment: what waiting for each other costs is not the question.
func choice(s scenario) string {
	if s.want == hits {
		return fmt.Sprintf("math.random(%d)", s.objects)
	}
	return fmt.Sprintf("last %% %d + 1", s.objects)
}

// run puts a scenario's load on a base URL for some seconds. It returns what
// the generator tells, and the CPU time that it used.
func (g generators) run(ctx context.Context, s scenario, base string, secs, threads int) (load, time.Duration, error) {
	argv, err := g.command(s, base, secs, threads)
	if err != nil {
		return load{}, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(secs)*time.Second+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	ownGroup(cmd)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return load{}, 0, fmt.Errorf("%s: %w", filepath.Base(argv[0]), context.Cause(ctx))
	}
	if err != nil {
		return load{}, 0, fmt.Errorf("%s: %w: %s", filepath.Base(argv[0]), err, brief(string(out)))
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	parse := parseWrk
	if s.proto == tls2 {
		parse = parseH2load
	}
	l, err := parse(string(out))
	return l, used, err
}

func (g generators) command(s scenario, base string, secs, threads int) ([]string, error) {
	if s.proto == tls2 {
		return []string{
			g.h2load, "-t", strconv.Itoa(threads), "-c", strconv.Itoa(s.conns), "-m", strconv.Itoa(streams),
			"-D", strconv.Itoa(secs), base + s.path(1),
		}, nil
	}
	argv := []string{
		g.wrk, "-t", strconv.Itoa(threads), "-c", strconv.Itoa(s.conns), "-d", strconv.Itoa(secs) + "s",
		"--latency", "--timeout", "20s",
	}
	if s.objects == 1 {
		return append(argv, base+s.path(1)), nil
	}
	file := filepath.Join(g.dir, s.name+".lua")
	text := fmt.Sprintf(script, s.kind, s.objects, choice(s))
	return append(argv, "-s", file, base), os.WriteFile(file, []byte(text), 0o644)
}
