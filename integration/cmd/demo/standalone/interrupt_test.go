package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// folderVariable makes this test binary act as the command, on the folder that it names.
const folderVariable = "STAGECRAFT_TEST_DEMO"

func TestMain(m *testing.M) {
	if folder := os.Getenv(folderVariable); folder != "" {
		os.Args = []string{"demo", folder}
		main()
		return
	}
	os.Exit(m.Run())
}

// However a demo is ended in the middle of a build, nothing of it stays.
func TestInterruptedDemo(t *testing.T) {
	folder := t.TempDir()
	dockerfile := "# syntax=stagecraft/stagecraft:1\nFROM busybox\nRUN echo the container runs; sleep 1000\n"
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(pid int) error{
		// A terminal sends it to all programs that run in it.
		"SIGINT to the group": func(pid int) error { return syscall.Kill(-pid, syscall.SIGINT) },
		"SIGTERM":             func(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) },
		"SIGKILL":             func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			demo := exec.Command("/proc/self/exe")
			demo.Env = append(os.Environ(), folderVariable+"="+folder)
			demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			demo.Stdout, demo.Stderr = writer, writer
			if err := demo.Start(); err != nil {
				t.Fatal(err)
			}
			writer.Close()
			// The output ends when the last program that writes to it has ended.
			var said []string
			dir := ""
			for lines := bufio.NewScanner(reader); lines.Scan(); {
				said = append(said, lines.Text())
				if found := regexp.MustCompile(`BuildKit unix://(.*)/buildkitd\.sock$`).FindStringSubmatch(lines.Text()); found != nil {
					dir = found[1]
				}
				// The instruction itself is shown, too, but with more behind it.
				if !strings.HasSuffix(lines.Text(), " the container runs") {
					continue
				}
				found, err := enclosure.Traces(dir)
				if err != nil {
					t.Error(err)
				}
				for _, kind := range []string{"folder", "process", "mount", "control group"} {
					if dir == "" || !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, kind) }) {
						t.Errorf("before the end there was no %s to be found, so the check below proves nothing: %q", kind, found)
					}
				}
				if err := end(demo.Process.Pid); err != nil {
					t.Fatal(err)
				}
			}
			if err := demo.Wait(); err == nil {
				t.Errorf("the demo ended well:\n%s", strings.Join(said, "\n"))
			}
			if dir == "" {
				t.Fatalf("the demo did not start BuildKit:\n%s", strings.Join(said, "\n"))
			}
			// Killed, it leaves the tidying up to its supervisor.
			deadline := time.Now().Add(2 * time.Minute)
			for {
				found, err := enclosure.Traces(dir)
				if err != nil {
					t.Fatal(err)
				}
				if len(found) == 0 {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("two minutes after the end there is still: %s\nthe demo wrote:\n%s", strings.Join(found, "; "), strings.Join(said, "\n"))
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
}
