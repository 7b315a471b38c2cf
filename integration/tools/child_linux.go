package tools

import (
	"os/exec"
	"syscall"
)

// interruptWithUs has the kernel interrupt a command when this process ends in a way that leaves it no time to
// do so. Interrupted, the go command stops the compilers that it has started.
func interruptWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
}
