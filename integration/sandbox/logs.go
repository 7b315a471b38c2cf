package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// Logs returns the last part of what each engine wrote, for people, without lines that tell of its
// ordinary work.
func (s *Sandbox) Logs() string { return s.logsSince(nil) }

// logLimit is how many bytes at the end of a log are shown.
const logLimit = 8 << 10

// ordinary matches the lines of an engine's log that tell of no trouble. The registry calls it an error
// when a client asks whether it has something, as each does before it sends that.
var ordinary = regexp.MustCompile(`(?m)^time=\S+ level=(?:(?:debug|info|warning) .*|error msg="response completed with error" err\.code="(?:blob|manifest) unknown".*)\n?`)

// logsSince returns what the engines wrote after the given lengths of their log files.
func (s *Sandbox) logsSince(lengths map[string]int) string {
	var b strings.Builder
	for _, p := range []*enclosure.Process{s.buildkitd, s.registry} {
		if p == nil {
			continue
		}
		text, err := os.ReadFile(p.Log)
		if err != nil {
			fmt.Fprintf(&b, "--- %v\n", err)
			continue
		}
		if from := lengths[p.Log]; from <= len(text) {
			text = text[from:]
		}
		text = ordinary.ReplaceAll(text, nil)
		if len(text) > logLimit {
			text = append([]byte("…"), text[len(text)-logLimit:]...)
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			fmt.Fprintf(&b, "--- %s\n%s\n", filepath.Base(p.Log), text)
		}
	}
	return b.String()
}

// logLengths returns how long the engines' log files are now.
func (s *Sandbox) logLengths() map[string]int {
	lengths := map[string]int{}
	for _, p := range []*enclosure.Process{s.buildkitd, s.registry} {
		if p == nil {
			continue
		}
		if info, err := os.Stat(p.Log); err == nil {
			lengths[p.Log] = int(info.Size())
		}
	}
	return lengths
}
