package enclosure

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Traces finds what there is of an enclosure on the machine, for tests that nothing is left of one: its
// folder, processes whose arguments, environment, working directory or control group name the folder,
// the calling one left out, mounts below it that any process sees, and control groups. Each is told in
// words that begin with its kind: "folder", "process", "mount" or "control group".
func Traces(dir string) ([]string, error) {
	var found []string
	if _, err := os.Lstat(dir); err == nil {
		found = append(found, "folder "+dir)
	}
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, proc := range procs {
		if proc == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		// A process that ends meanwhile has none of these files any more, and is no trace.
		cwd, _ := os.Readlink(proc + "/cwd")
		args, _ := os.ReadFile(proc + "/cmdline")
		env, _ := os.ReadFile(proc + "/environ")
		groups, _ := os.ReadFile(proc + "/cgroup")
		if strings.Contains(strings.Join([]string{cwd, string(args), string(env), string(groups)}, "\x00"), filepath.Base(dir)) {
			found = append(found, fmt.Sprintf("process %s %q", filepath.Base(proc), args))
		}
		mounts, _ := os.ReadFile(proc + "/mounts")
		if strings.Contains(string(mounts), dir) {
			found = append(found, "mount seen by process "+filepath.Base(proc))
		}
	}
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		groups, err := filepath.Glob(pattern + filepath.Base(dir))
		if err != nil {
			return nil, err
		}
		for _, group := range groups {
			found = append(found, "control group "+group)
		}
	}
	return found, nil
}
