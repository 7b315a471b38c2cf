package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// baseline returns what upstream's own image does in this harness on this machine, measured now unless
// the cache has it for the same ingredients.
func (h *harness) baseline(ctx context.Context) (Measurement, error) {
	cache, err := cacheDir()
	if err != nil {
		return Measurement{}, err
	}
	key, err := h.ingredients(ctx)
	if err != nil {
		return Measurement{}, err
	}
	path := filepath.Join(cache, "baseline-"+key+".json")
	unlock, err := tools.Lock(ctx, path+".lock", "the measurement of upstream's own frontend")
	if err != nil {
		return Measurement{}, err
	}
	defer unlock()
	m, err := readMeasurement(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return m, err
	}
	if err == nil {
		if missing, _ := checkPinned(m, pinned()); missing == nil {
			now := time.Now()
			_ = os.Chtimes(path, now, now) // it is in use
			return m, nil
		} else if err := os.Remove(path); err != nil {
			return m, err
		} else {
			h.log("measuring again: %v", missing)
		}
	}

	h.log("measuring upstream's own frontend first, once for this machine: two to three minutes")
	archive := filepath.Join(cache, ".tmp-upstream-"+key+".tar")
	if err := packFrontend(filepath.Join(h.suite, "dockerfile-frontend"), archive, upstreamLabels); err != nil {
		return Measurement{}, err
	}
	defer os.Remove(archive)
	m, err = h.measureFirst(ctx, subject{name: "upstream", archive: archive, daemon: h.engines["buildkitd"]})
	if err != nil {
		return m, err
	}
	if missing, _ := checkPinned(m, pinned()); missing != nil {
		return m, missing // and it is not kept
	}
	forget(cache)
	return m, writeMeasurement(path, m)
}

// keepBaselines is how long a measurement stays in the cache. Another checkout, or a branch that the
// work goes back to, may still want one that this one has no use for.
const keepBaselines = 7 * 24 * time.Hour

// forget removes what the cache has of old measurements.
func forget(cache string) {
	files, _ := filepath.Glob(filepath.Join(cache, "baseline-*"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > keepBaselines {
			os.Remove(file)
		}
	}
}

// method counts the changes to how a measurement is made and read that ingredients does not see: what
// measureFirst runs, what counts as a test, what a Measurement means, how upstream's image is packed.
const method = 2

// ingredients is a key that changes with what could change the outcome of upstream's tests, the image
// under test aside.
func (h *harness) ingredients(ctx context.Context) (string, error) {
	key := sha256.New()
	for _, script := range []string{roomScript, daemonScript, cniConfig} {
		fmt.Fprintf(key, "%d\n%s", len(script), script)
	}
	// With any folder and image: how the test binary is started.
	fmt.Fprintf(key, "%d %q\n", method, h.program("/room", subject{archive: "archive"}, pass{pattern: everything, atOnce: atOnce}))
	// The folders of programs are named after the versions and flags they were built with.
	for _, name := range sortedKeys(h.engines) {
		fmt.Fprintln(key, name, filepath.Base(filepath.Dir(h.engines[name])))
	}
	fmt.Fprintln(key, filepath.Base(h.suite), filepath.Base(h.cni))
	for _, name := range sortedKeys(h.images) {
		fmt.Fprintln(key, name, h.images[name])
	}
	var system unix.Utsname
	if err := unix.Uname(&system); err != nil {
		return "", err
	}
	fmt.Fprintf(key, "%s %s %d\n", unix.ByteSliceToString(system.Release[:]), runtime.GOARCH, runtime.NumCPU())
	groups, err := os.ReadFile("/proc/cgroups")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	key.Write(hierarchiesIn(groups))
	for _, command := range [][]string{{"git", "--version"}, {"ssh", "-V"}} {
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%s: %w", strings.Join(command, " "), err)
		}
		key.Write(out)
	}
	return hex.EncodeToString(key.Sum(nil))[:16], nil
}

// hierarchiesIn keeps of /proc/cgroups (cgroups(7)) what does not change while the machine runs: each
// controller and whether a cgroup v1 hierarchy has it. The third column counts groups.
func hierarchiesIn(table []byte) []byte {
	var kept []byte
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) == 4 && !strings.HasPrefix(line, "#") {
			kept = fmt.Appendln(kept, fields[0], fields[1] != "0", fields[3])
		}
	}
	return kept
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func readMeasurement(path string) (m Measurement, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w; remove it to measure again", path, err)
	}
	return m, nil
}

// keptOutput is how many bytes are kept of what a test printed. Why it failed comes first, the logs of
// its daemon after that.
const keptOutput = 3000

// writeMeasurement writes under a temporary name first, so that no reader sees half of it.
func writeMeasurement(path string, m Measurement) error {
	for _, step := range passes {
		for _, result := range *m.of(step.name) {
			result.Output = strings.ToValidUTF8(result.Output[:min(keptOutput, len(result.Output))], "")
		}
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, text, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
