//go:build !linux

package tools

import "os/exec"

// interruptWithUs does nothing where the kernel offers no such signal.
func interruptWithUs(*exec.Cmd) {}
