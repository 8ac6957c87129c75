package main

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps from a command the ctrl-C that is meant for us. Should we be
// killed, it gets SIGTERM.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
