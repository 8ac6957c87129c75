package e2e

import "syscall"

// dieWithParent keeps a child from outliving a test run that was killed or timed out.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
