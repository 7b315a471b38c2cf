package review_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/review"
)

var update = flag.Bool("update", false, "write what the pages of the rules say of them")

const pages = "../../docs/rules"

// head is what the page of a rule says before its examples.
func head(r review.Rule) string {
	text := fmt.Sprintf("# %s\n\n%s.\n\n**Why.** %s\n\n**How to mend it.** %s\n", r.ID, r.Practice, r.Why, r.Mend)
	if r.Unchanged {
		text += "\nThe mended lines build the same image, from the same cache.\n"
	}
	if len(r.Silent) > 0 {
		text += fmt.Sprintf("\nSilent where docker/dockerfile's own check says it of the line: %s.\n", strings.Join(r.Silent, ", "))
	}
	return text + fmt.Sprintf("\nTo skip it: `# check=skip=%s` at the top of the file or right above the instruction, or\n"+
		"`--build-arg STAGECRAFT_REVIEW=skip=%s`.\n\n", r.ID, r.ID)
}

// Every rule has a page that says what the rule does, with an example that
// misses the practice and one that keeps it.
func TestPages(t *testing.T) {
	known := map[string]bool{}
	for _, r := range review.Rules() {
		known[r.ID+".md"] = true
		path := filepath.Join(pages, r.ID+".md")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		text, want := string(data), head(r)
		start := strings.Index(text, "## Missed")
		if start < 0 {
			t.Errorf("%s has no example under ## Missed", path)
			continue
		}
		if *update {
			if err := os.WriteFile(path, []byte(want+text[start:]), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if text[:start] != want {
			t.Errorf("%s does not begin as the rule does; go test ./frontend/review -run TestPages -update\n%s", path, want)
		}
		missed, kept, ok := strings.Cut(text[start:], "## Kept")
		if !ok {
			t.Errorf("%s has no example under ## Kept", path)
			continue
		}
		for _, example := range examples(t, path, missed) {
			if report := example.must(t); len(of(report, r.ID)) == 0 {
				t.Errorf("%s: the rule finds nothing in the example that misses it:\n%s", path, example.dockerfile)
			}
		}
		for _, example := range examples(t, path, kept) {
			report := example.must(t)
			if found := of(report, r.ID); len(found) > 0 {
				t.Errorf("%s: the rule finds something in the example that keeps it: %s\n%s", path, found[0].Message, example.dockerfile)
			}
		}
	}
	entries, err := os.ReadDir(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("%s/%s is the page of no rule", pages, e.Name())
		}
	}
}

var (
	block    = regexp.MustCompile("(?s)```dockerfile\n(.*?)```")
	argument = regexp.MustCompile(`--build-arg (\w+)=(\w*)`)
)

// examples are the Dockerfiles of a part of a page, built with the build
// arguments that it mentions.
func examples(t *testing.T, path, part string) []build {
	t.Helper()
	args := map[string]string{}
	for _, m := range argument.FindAllStringSubmatch(part, -1) {
		args[m[1]] = m[2]
	}
	var all []build
	for _, m := range block.FindAllStringSubmatch(part, -1) {
		all = append(all, build{dockerfile: m[1], args: args})
	}
	if len(all) == 0 {
		t.Errorf("%s has a part without an example", path)
	}
	return all
}
