package tools

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleVariable makes this test binary act as a process of TestEndWithParent.
const roleVariable = "STAGECRAFT_TEST_PARENT"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "parent":
		// Like the go command: it ends on SIGTERM and tells nobody.
		child := exec.Command("/proc/self/exe")
		child.Env = append(os.Environ(), roleVariable+"=child")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Run(); err != nil {
			os.Exit(1)
		}
		return
	case "child":
		EndWithParent()
		fmt.Println("child", os.Getpid())
		time.Sleep(10 * time.Minute)
		return
	}
	os.Exit(m.Run())
}

func TestEndWithParent(t *testing.T) {
	parent := exec.Command("/proc/self/exe")
	parent.Env = append(os.Environ(), roleVariable+"=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	parent.Stderr = parent.Stdout
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child said nothing")
	}
	child, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "child "))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the child does not run: %v", err)
	}
	if err := parent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// The pipe has an end once neither of them can write to it.
	rest := ""
	for lines.Scan() {
		rest += lines.Text()
	}
	if !strings.Contains(rest, "ending") {
		t.Errorf("the child ended without a word: %q", rest)
	}
	_ = parent.Wait()
}
