package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// TestLanguage does what docs/language.md shows. Each section of the page is a folder: its files lie there,
// and its commands run there in order, on the real BuildKit.
func TestLanguage(t *testing.T) { doPage(t, "docs/language.md", 20) }

// TestBridges does what the pages about other tools show.
func TestBridges(t *testing.T) {
	t.Run("flatten", func(t *testing.T) { doPage(t, "docs/flatten.md", 4) })
}

// doPage does what a page shows: at least so many builds, lest it be written as nobody reads it.
func doPage(t *testing.T, name string, atLeast int) {
	page, err := os.ReadFile("../" + name)
	if err != nil {
		t.Fatal(err)
	}
	s := sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := pathWithDocker(t, s)
	builds := 0
	for _, section := range sections(string(page)) {
		title, _, _ := strings.Cut(strings.TrimLeft(section, "\n"), "\n")
		l, err := readLesson(section)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		builds += strings.Count(section, "\n$ docker buildx build ")
		if len(l) == 0 {
			continue // nothing is shown
		}
		t.Run(strings.TrimPrefix(title, "## "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, a := range l {
				if a.file == "" {
					continue
				}
				// A reader makes the folders that the names have.
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(a.file)), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", l.script())
			cmd.Dir = dir
			cmd.Env = append(s.Environment(), "PATH="+path)
			log, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			if err := l.check(string(log)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	if builds < atLeast {
		t.Errorf("%s shows %d builds: is it still read as it is written?", name, builds)
	}
}

// sections are the parts of a page under headings of the second level, with empty lines in front such that
// their lines count as in the page.
func sections(page string) []string {
	parts := strings.Split("\n"+page, "\n## ")
	line := strings.Count(parts[0], "\n")
	var list []string
	for _, part := range parts[1:] {
		list = append(list, strings.Repeat("\n", line)+"## "+part)
		line += 1 + strings.Count(part, "\n")
	}
	return list
}

// pathWithDocker is a PATH on which "docker buildx" is the pinned buildx, as on a machine with Docker.
func pathWithDocker(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nshift\nexec '%s' \"$@\"\n", filepath.Join(s.BinDir(), "buildx"))
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir + string(os.PathListSeparator) + os.Getenv("PATH")
}
