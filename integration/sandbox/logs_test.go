package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// Of hundreds of lines that engines write about ordinary work, none is to bury why a test failed.
func TestLogsShowTroubleOnly(t *testing.T) {
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{
		"buildkitd.log": `time="2026-01-01T00:00:00Z" level=info msg="found worker"
time="2026-01-01T00:00:00Z" level=warning msg="failed to read oom_kill event" span="[2/2] RUN echo level=error"
panic: runtime error: index out of range
	/src/solver.go:12
time="2026-01-01T00:00:00Z" level=error msg="Solve returned error: level=info"
`,
		"registry.log": `time="2026-01-01T00:00:00.1Z" level=error msg="response completed with error" err.code="blob unknown" http.request.method=HEAD
time="2026-01-01T00:00:00.1Z" level=error msg="response completed with error" err.code="manifest unknown" http.request.method=HEAD
`,
	}); err != nil {
		t.Fatal(err)
	}
	s := &Sandbox{
		buildkitd: &enclosure.Process{Log: filepath.Join(dir, "buildkitd.log")},
		registry:  &enclosure.Process{Log: filepath.Join(dir, "registry.log")},
	}
	want := `--- buildkitd.log
panic: runtime error: index out of range
	/src/solver.go:12
time="2026-01-01T00:00:00Z" level=error msg="Solve returned error: level=info"
`
	if got := s.Logs(); got != want {
		t.Errorf("the logs are\n%s\nwant\n%s", got, want)
	}

	before := s.logLengths()
	file, err := os.OpenFile(s.registry.Log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	line := `time="2026-01-01T00:00:00.1Z" level=error msg="response completed with error" err.code=unknown err.detail="no space left on device"` + "\n"
	if _, err := file.WriteString(line); err != nil {
		t.Fatal(err)
	}
	if got, want := s.logsSince(before), "--- registry.log\n"+line; got != want {
		t.Errorf("what came later is\n%s\nwant\n%s", got, want)
	}
}

// A message that a daemon repeats for every container does not push out what else it said.
func TestRepeatedMessages(t *testing.T) {
	log := ""
	for i := range 290 {
		log += fmt.Sprintf("time=\"2026-01-01T00:00:%02d.1Z\" level=error msg=\"loading cgroup of %016x\" pid=%d\n", i%60, i*7919, i)
		if i == 100 {
			log += "time=\"2026-01-01T00:00:00.1Z\" level=error msg=\"no space left on device\"\npanic: one\npanic: one\n"
		}
	}
	want := `time="2026-01-01T00:00:00.1Z" level=error msg="loading cgroup of 0000000000000000" pid=0
    (and 289 lines that say the same)
time="2026-01-01T00:00:00.1Z" level=error msg="no space left on device"
panic: one
panic: one
`
	if got := string(once([]byte(log))); got != want {
		t.Errorf("the log is\n%s\nwant\n%s", got, want)
	}
}
