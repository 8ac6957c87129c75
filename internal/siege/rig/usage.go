//go:build linux

package rig

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process takes.
type Usage struct {
	RSS   int64         // resident memory, bytes
	Peak  int64         // the most of it so far
	Anon  int64         // of RSS: what is not of files, such as heap and stacks
	Files int           // open files, sockets included
	CPU   time.Duration // user and system, since its start
}

// Usage looks at the process.
func (p *Process) Usage() (u Usage, err error) {
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return u, fmt.Errorf("memory: %w", err)
	}
	for name, to := range map[string]*int64{"VmRSS": &u.RSS, "VmHWM": &u.Peak, "RssAnon": &u.Anon} {
		if *to, err = kibibytes(status, name); err != nil {
			return u, err
		}
	}
	files, err := os.ReadDir(dir + "fd")
	if err != nil {
		return u, fmt.Errorf("files: %w", err)
	}
	u.Files = len(files)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return u, fmt.Errorf("CPU: %w", err)
	}
	u.CPU, err = cpu(string(stat))
	return u, err
}

// kibibytes finds the line "Name: 123 kB" of /proc/PID/status, and gives bytes.
func kibibytes(status []byte, name string) (int64, error) {
	for line := range bytes.Lines(status) {
		if f := strings.Fields(string(line)); len(f) == 3 && f[0] == name+":" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in the status of the process", name)
}

// cpu reads /proc/PID/stat. The second field is the name of the program and may
// hold anything, so fields are counted from its end. The kernel counts in 1/100 s.
func cpu(stat string) (time.Duration, error) {
	f := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(f) < 13 {
		return 0, fmt.Errorf("too few fields in %q", stat)
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, err
}
