package tools

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// EndWithParent sends this process SIGTERM once the process that started it has ended. SIGTERM to make reaches
// its own children; the go command, which is one of them, ends without passing it on to the program that it
// runs. Programs that clean up on SIGTERM then do; the others end.
//
// A process that was left alone before the call is not ended.
func EndWithParent() {
	parent := os.Getppid()
	go func() {
		for os.Getppid() == parent {
			time.Sleep(200 * time.Millisecond)
		}
		fmt.Fprintln(os.Stderr, "ending, because what started this program has ended")
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}()
}
