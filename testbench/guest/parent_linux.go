package guest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// withParent makes cmd die with this process, even when that is killed. The kernel watches the thread that starts the program, so the
// caller must start it and wait for it on one goroutine, and call unlock then.
func withParent(cmd *exec.Cmd) (unlock func()) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return runtime.UnlockOSThread
}
