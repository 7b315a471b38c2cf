package sandbox

import (
	"os"
	"path/filepath"
	"regexp"
)

// curl is a call in a README that asks an application which runs on the reader's machine.
var curl = regexp.MustCompile(`(?m)^ +curl '?http://localhost:\d+(/[^'\s]*)'?$`)

// ReadQuestions returns the paths, such as "/weekdays?from=2024-01-01", that the README.md in a folder
// tells its reader to ask the application for, in order. A folder without one has none.
func ReadQuestions(folder string) []string {
	text, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		return nil
	}
	var paths []string
	for _, call := range curl.FindAllStringSubmatch(string(text), -1) {
		paths = append(paths, call[1])
	}
	return paths
}
