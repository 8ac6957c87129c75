package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of CPU time in /proc: the kernel tells programs 100 Hz on
// every platform of today, whatever it uses itself.
const tick = 10 * time.Millisecond

// tree is what a process and all its descendants take.
type tree struct {
	rss int64         // bytes
	cpu time.Duration // user and system, that of children waited for included
}

// process is what matters of /proc/PID/stat.
type process struct {
	parent int
	cpu    time.Duration
	pages  int64 // resident
}

// parseStat reads /proc/PID/stat. The second field is the program's name in
// parentheses and may hold anything, so the fields are counted from its end.
func parseStat(line string) (process, error) {
	end := strings.LastIndex(line, ") ")
	if end < 0 {
		return process{}, fmt.Errorf("no program name in %.80q", line)
	}
	f := strings.Fields(line[end+2:])
	if len(f) < 22 {
		return process{}, fmt.Errorf("%d fields after the program name in %.80q", len(f), line)
	}
	var n [6]int64
	for i, at := range [...]int{1, 11, 12, 13, 14, 21} { // ppid, utime, stime, cutime, cstime, rss
		v, err := strconv.ParseInt(f[at], 10, 64)
		if err != nil {
			return process{}, fmt.Errorf("field %d of %.80q: %w", at+3, line, err)
		}
		n[i] = v
	}
	return process{parent: int(n[0]), cpu: time.Duration(n[1]+n[2]+n[3]+n[4]) * tick, pages: n[5]}, nil
}

// watchTree looks at the tree of a process. Memory that several of its processes
// share counts once, where the kernel tells (Pss).
func watchTree(root int) (tree, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return tree{}, err
	}
	all, children := make(map[int]process, len(files)), make(map[int][]int)
	for _, name := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			continue
		}
		line, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended since
		}
		p, err := parseStat(string(line))
		if err != nil {
			return tree{}, fmt.Errorf("%s: %w", name, err)
		}
		all[pid] = p
		children[p.parent] = append(children[p.parent], pid)
	}
	if _, ok := all[root]; !ok {
		return tree{}, fmt.Errorf("process %d: it has ended, or never was", root)
	}
	members := []int{root}
	for i := 0; i < len(members); i++ {
		members = append(members, children[members[i]]...)
	}
	var t tree
	for _, pid := range members {
		p := all[pid]
		t.cpu += p.cpu
		rss := p.pages * int64(os.Getpagesize())
		if len(members) > 1 {
			rss = proportional(pid, rss)
		}
		t.rss += rss
	}
	return t, nil
}

// proportional is the proportional set size of a process in bytes, or rss if
// that cannot be read.
func proportional(pid int, rss int64) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return rss
	}
	kib, err := parsePss(text)
	if err != nil {
		return rss
	}
	return kib << 10
}

// parsePss finds the line "Pss: 123 kB".
func parsePss(text []byte) (int64, error) {
	for line := range bytes.Lines(text) {
		if f := strings.Fields(string(line)); len(f) == 3 && f[0] == "Pss:" {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, errors.New("no Pss")
}

// ownCPU is the CPU time that this process has used itself.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
