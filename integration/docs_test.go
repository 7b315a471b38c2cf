package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// link is a link of a page to a file of the repository, with or without a heading in it.
var link = regexp.MustCompile(`\]\(([^)#\s:]*)(?:#([^)\s]+))?\)`)

// TestLinks follows the links of all pages to files and headings that are there, and finds each page of docs from
// docs/README.md.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"../*.md", "../docs/rules/*.md", "../examples/*.md", "../.github/*.md", "*/README.md"} {
		found, err := filepath.Glob(more)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	index := "../docs/README.md"
	var linked []string
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(outsideOfBlocks(string(text)), -1) {
			target := page
			if found[1] != "" {
				target = filepath.Join(filepath.Dir(page), found[1])
			}
			if page == index {
				linked = append(linked, target)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", page, found[0])
			} else if found[2] != "" && !slices.Contains(headings(t, target), found[2]) {
				t.Errorf("%s: %s has no such heading", page, found[0])
			}
		}
	}
	for _, page := range pages {
		if filepath.Dir(page) == "../docs" && page != index && !slices.Contains(linked, page) {
			t.Errorf("%s is not found from %s", page, index)
		}
	}
}

// outsideOfBlocks returns a page without its blocks of code, where brackets mean something else.
func outsideOfBlocks(page string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "```") {
			inside = !inside
		} else if !inside {
			b.WriteString(line)
		}
	}
	return b.String()
}

// headings returns the anchors of a page, as GitHub makes them.
func headings(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for line := range strings.Lines(outsideOfBlocks(string(text))) {
		if title := strings.TrimLeft(line, "#"); title != line {
			var anchor strings.Builder
			for _, r := range strings.ToLower(strings.TrimSpace(title)) {
				switch {
				case r == ' ':
					anchor.WriteRune('-')
				case r == '-' || r == '_' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
					anchor.WriteRune(r)
				}
			}
			anchors = append(anchors, anchor.String())
		}
	}
	return anchors
}
