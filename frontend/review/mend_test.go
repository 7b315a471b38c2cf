package review_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/stagecraft/stagecraft/frontend/review"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

var hunkHead = regexp.MustCompile(`^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$`)

// apply applies a unified diff, as strictly as patch with no fuzz: context and
// removed lines must stand where the hunk says, and the counts must be right.
func apply(text, diff string) (string, error) {
	old := strings.SplitAfter(text, "\n")
	if old[len(old)-1] == "" {
		old = old[:len(old)-1]
	}
	lines := strings.SplitAfter(strings.TrimSuffix(diff, "\n"), "\n")
	if len(lines) < 3 || !strings.HasPrefix(lines[0], "--- a/") || !strings.HasPrefix(lines[1], "+++ b/") {
		return "", fmt.Errorf("not a unified diff: %q", diff)
	}
	var out []string
	at := 0 // of old
	for i := 2; i < len(lines); {
		m := hunkHead.FindStringSubmatch(strings.TrimSpace(lines[i]))
		if m == nil {
			return "", fmt.Errorf("not the head of a hunk: %q", lines[i])
		}
		var n [4]int
		for j := range n {
			n[j], _ = strconv.Atoi(m[j+1])
		}
		out = append(out, old[at:n[0]-1]...)
		at = n[0] - 1
		if n[2] != len(out)+1 {
			return "", fmt.Errorf("the hunk %s starts at line %d of the result", m[0], len(out)+1)
		}
		removed, added := 0, 0
		for i++; i < len(lines) && !strings.HasPrefix(lines[i], "@@ "); i++ {
			line := lines[i]
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], `\ No newline`) {
				line = strings.TrimSuffix(line, "\n")
			} else if !strings.HasSuffix(line, "\n") && !strings.HasPrefix(line, `\`) {
				line += "\n"
			}
			switch line[0] {
			case ' ', '-':
				if at >= len(old) || old[at] != line[1:] {
					return "", fmt.Errorf("line %d is not %q", at+1, line[1:])
				}
				at++
				removed++
				if line[0] == ' ' {
					out = append(out, line[1:])
					added++
				}
			case '+':
				out = append(out, line[1:])
				added++
			case '\\':
			default:
				return "", fmt.Errorf("not a line of a hunk: %q", line)
			}
		}
		if removed != n[1] || added != n[3] {
			return "", fmt.Errorf("the hunk %s has %d lines for %d", m[0], removed, added)
		}
	}
	return strings.Join(append(out, old[at:]...), ""), nil
}

// mended are the Dockerfiles whose findings have mended lines: the corpora, and
// the examples of the pages.
func mendable(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, f := range corpora(t) {
		all[f.Name] = string(f.Dockerfile)
	}
	for _, r := range review.Rules() {
		data, err := os.ReadFile(filepath.Join(pages, r.ID+".md"))
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range block.FindAllStringSubmatch(string(data), -1) {
			all[fmt.Sprintf("%s.md/%d", r.ID, i)] = m[1]
			all[fmt.Sprintf("%s.md/%d without a last newline", r.ID, i)] = strings.TrimSuffix(m[1], "\n")
			all[fmt.Sprintf("%s.md/%d with carriage returns", r.ID, i)] = strings.ReplaceAll(m[1], "\n", "\r\n")
		}
	}
	return all
}

// Each diff applies; what comes out is a Dockerfile in which the rule no longer
// finds that place, and in which docker/dockerfile's own checks, experimental
// ones included, find nothing that they did not find before. Where the rule
// says so, it builds the same.
func TestMendedLines(t *testing.T) {
	unchanged, fixed := map[string]bool{}, map[string]int{}
	for _, r := range review.Rules() {
		unchanged[r.ID] = r.Unchanged
	}
	for name, text := range mendable(t) {
		report, err := build{dockerfile: text}.review(t)
		if err != nil {
			continue
		}
		for _, f := range report.Findings {
			if f.Fix == "" {
				continue
			}
			fixed[f.Rule]++
			mended, err := apply(text, f.Fix)
			if err != nil {
				t.Errorf("%s: %s of line %d: %v\n%s", name, f.Rule, f.Line, err, f.Fix)
				continue
			}
			again, err := build{dockerfile: mended}.review(t)
			if err != nil {
				t.Errorf("%s: %s of line %d: the mended file: %v\n%s", name, f.Rule, f.Line, err, f.Fix)
				continue
			}
			if before, after := len(of(report, f.Rule)), len(of(again, f.Rule)); after >= before {
				t.Errorf("%s: %s of line %d is found again\n%s", name, f.Rule, f.Line, f.Fix)
			}
			for rule, after := range checks(t, mended) {
				if before := checks(t, text)[rule]; after > before {
					t.Errorf("%s: %s of line %d: %s has %d findings, and had %d\n%s", name, f.Rule, f.Line, rule, after, before, f.Fix)
				}
			}
			if !unchanged[f.Rule] {
				continue
			}
			a := llbtest.Ours(t.Context(), llbtest.Request{Dockerfile: []byte(text)})
			b := llbtest.Ours(t.Context(), llbtest.Request{Dockerfile: []byte(mended)})
			if diff := sameBuild(a, b); diff != "" {
				t.Errorf("%s: %s of line %d changes the build: %s\n%s", name, f.Rule, f.Line, diff, f.Fix)
			}
		}
	}
	t.Log(fixed)
	for rule, same := range unchanged {
		if same && fixed[rule] == 0 {
			t.Errorf("%s says that its mended lines change nothing, and nothing shows it", rule)
		}
	}
}

// sameBuild returns how two builds differ, empty where operations and image
// are the same.
func sameBuild(a, b llbtest.Outcome) string {
	if a.Err != nil || b.Err != nil {
		return fmt.Sprintf("errors: %v, %v", a.Err, b.Err)
	}
	for i := range a.Builds {
		x, y := a.Builds[i], b.Builds[i]
		if fmt.Sprintf("%x", x.Def.Def) != fmt.Sprintf("%x", y.Def.Def) {
			return "operations"
		}
		if x.Image != y.Image {
			return "image config"
		}
	}
	return ""
}

// checks are the findings of docker/dockerfile's own checks, by rule.
func checks(t *testing.T, text string) map[string]int {
	t.Helper()
	b := build{dockerfile: text, check: &linter.Config{ExperimentalAll: true}, every: true}
	found := map[string]int{}
	b.warn = func(_ dockerfile.FileID, rule string) { found[rule]++ }
	if _, err := b.attempt(t); err != nil {
		b.every = false
		clear(found)
		_, _ = b.attempt(t)
	}
	return found
}
