package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// cpuSet is a CPU affinity mask, for up to 1,024 CPUs.
type cpuSet [16]uint64

func oneCPU(n int) (s cpuSet) {
	s[n/64] = 1 << (n % 64)
	return s
}

// list names the CPUs of the set.
func (s cpuSet) list() (cpus []int) {
	for n := range len(s) * 64 {
		if s[n/64]&(1<<(n%64)) != 0 {
			cpus = append(cpus, n)
		}
	}
	return cpus
}

// affinity is the set of the CPUs that this process may use.
func affinity() (s cpuSet, err error) {
	if _, _, no := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(s), uintptr(unsafe.Pointer(&s))); no != 0 {
		return s, fmt.Errorf("sched_getaffinity: %w", no)
	}
	return s, nil
}

// setThread moves a thread, or the calling one if tid is 0.
func setThread(tid int, s cpuSet) error {
	_, _, no := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), unsafe.Sizeof(s), uintptr(unsafe.Pointer(&s)))
	if no != 0 && no != syscall.ESRCH { // the thread may have ended
		return fmt.Errorf("sched_setaffinity: %w", no)
	}
	return nil
}

// setProcess moves all our threads, and with them what they start from now on.
func setProcess(s cpuSet) error {
	// Twice: a thread may be born of one that was not moved yet.
	for range 2 {
		tasks, err := filepath.Glob("/proc/self/task/*")
		if err != nil {
			return err
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(filepath.Base(t))
			if err != nil {
				return fmt.Errorf("%s: %w", t, err)
			}
			if err := setThread(tid, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// startOn starts a command on the CPUs of the set: a child has the affinity of
// the thread that forks it.
func startOn(cmd *exec.Cmd, s cpuSet) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ours, err := affinity()
	if err != nil {
		return err
	}
	if err := setThread(0, s); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), setThread(0, ours))
}

// ownGroup gives a command a process group, so that it can be ended with all
// its descendants and does not see the ctrl-C that is meant for us. Should we
// be killed, it gets SIGTERM.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // fails when none is left
}

// raiseFiles takes as many open files as we may have, for what we start too.
func raiseFiles(need uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("open files: %w", err)
	}
	if l.Max < need {
		return fmt.Errorf("at most %d open files are allowed here, and %d are needed: raise the hard limit (ulimit -Hn)", l.Max, need)
	}
	l.Cur = l.Max
	// Said explicitly, or children would get the limit that we were started with.
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}

// ownCPU is the CPU time that this process has used itself.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "Linux"
	}
	return "Linux " + strings.TrimSpace(string(text))
}
