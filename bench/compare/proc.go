package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc. The kernel tells programs 100 Hz on
// every platform of today, whatever it uses itself.
const tick = 10 * time.Millisecond

// procStat is what matters of one line of /proc/PID/stat.
type procStat struct {
	parent int
	cpu    time.Duration // user and system time, that of children waited for included
}

// parseProcStat reads /proc/PID/stat. The second field is the program's name in
// parentheses and may hold anything, so the fields are counted from its end.
func parseProcStat(line string) (procStat, error) {
	_, rest, ok := cutLast(line, ") ")
	if !ok {
		return procStat{}, fmt.Errorf("no program name in %q", line)
	}
	f := strings.Fields(rest)
	if len(f) < 15 {
		return procStat{}, fmt.Errorf("%d fields after the program name in %q", len(f), line)
	}
	parent, err := strconv.Atoi(f[1])
	if err != nil {
		return procStat{}, fmt.Errorf("parent: %w", err)
	}
	var ticks int64
	for _, field := range f[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return procStat{}, fmt.Errorf("time: %w", err)
		}
		ticks += n
	}
	return procStat{parent: parent, cpu: time.Duration(ticks) * tick}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// treeCPU is the CPU time that a process and all its descendants have used. It
// never shrinks: what a descendant used goes to its parent when it ends.
func treeCPU(root int) (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	all := make(map[int]procStat, len(files))
	children := make(map[int][]int)
	for _, name := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			continue
		}
		line, err := os.ReadFile(name)
		if err != nil {
			continue // it ended since
		}
		st, err := parseProcStat(string(line))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		all[pid] = st
		children[st.parent] = append(children[st.parent], pid)
	}
	if _, ok := all[root]; !ok {
		return 0, fmt.Errorf("process %d has ended", root)
	}
	var sum time.Duration
	for todo := []int{root}; len(todo) > 0; {
		pid := todo[0]
		todo = append(todo[1:], children[pid]...)
		sum += all[pid].cpu
	}
	return sum, nil
}

// machineCPU is the CPU time that the whole machine has used, stolen time
// included: that too was taken from us.
func machineCPU() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseMachineCPU(text)
}

// parseMachineCPU reads the first line of /proc/stat: "cpu" and the ticks of
// user, nice, system, idle, iowait, irq, softirq and steal. Guests, which
// follow, are part of user.
func parseMachineCPU(text []byte) (time.Duration, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	f := strings.Fields(string(line))
	if len(f) < 9 || f[0] != "cpu" {
		return 0, errors.New("/proc/stat does not begin with a line for all CPUs")
	}
	var ticks int64
	for i, field := range f[1:9] {
		if i == 3 || i == 4 { // idle, iowait
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
