package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	for _, p := range s.daemons() {
		b.WriteString(trouble(p, lengths[p.Log]))
	}
	return b.String()
}

// daemons are the engines that have been started.
func (s *Sandbox) daemons() []*enclosure.Process {
	all := []*enclosure.Process{s.buildkitd, s.registry}
	s.dockersMu.Lock()
	defer s.dockersMu.Unlock()
	for _, d := range s.dockers {
		all = append(all, d.containerd, d.daemon)
	}
	return slices.DeleteFunc(all, func(p *enclosure.Process) bool { return p == nil })
}

// trouble is what an engine wrote after the given length of its log file, with a heading.
func trouble(p *enclosure.Process, from int) string {
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return fmt.Sprintf("--- %v\n", err)
	}
	if from <= len(text) {
		text = text[from:]
	}
	text = once(ordinary.ReplaceAll(text, nil))
	if len(text) > logLimit {
		text = append([]byte("…"), text[len(text)-logLimit:]...)
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return ""
	}
	return fmt.Sprintf("--- %s\n%s\n", filepath.Base(p.Log), text)
}

// changing matches what differs between two lines of a log that say the same: times, and identifiers in
// hexadecimal or with the digits of a counter.
var changing = regexp.MustCompile(`time="?\S+|[0-9a-f]{8,}|\d+`)

// once returns a log in which a message that was written again and again stands once, where it came first, with
// how often it came.
func once(log []byte) []byte {
	type message struct {
		line  string
		times int
	}
	var messages []*message
	seen := map[string]*message{}
	for line := range strings.Lines(string(log)) {
		key := changing.ReplaceAllString(line, "#")
		if m := seen[key]; m != nil && strings.HasPrefix(line, "time=") {
			m.times++
			continue
		}
		m := &message{line: line, times: 1}
		messages = append(messages, m)
		seen[key] = m
	}
	var b bytes.Buffer
	for _, m := range messages {
		b.WriteString(m.line)
		if m.times > 1 {
			fmt.Fprintf(&b, "    (and %d lines that say the same)\n", m.times-1)
		}
	}
	return b.Bytes()
}

// logLengths returns how long the engines' log files are now.
func (s *Sandbox) logLengths() map[string]int {
	lengths := map[string]int{}
	for _, p := range s.daemons() {
		if info, err := os.Stat(p.Log); err == nil {
			lengths[p.Log] = int(info.Size())
		}
	}
	return lengths
}
