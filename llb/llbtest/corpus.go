package llbtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is a Dockerfile of a corpus.
type File struct {
	Name string // relative to the corpus
	Request
}

// Corpus reads the Dockerfiles of a folder and of the folders in it, each with
// the ignore file that stands beside it under the name NAME.dockerignore.
// Documents (*.md), tables (*.txt) and hidden files are no Dockerfiles.
func Corpus(root string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isDockerfile(d.Name()) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		ignore, err := os.ReadFile(path + ".dockerignore")
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		files = append(files, File{name, Request{Dockerfile: data, Ignore: string(ignore)}})
		return nil
	})
	return files, err
}

func isDockerfile(name string) bool {
	switch filepath.Ext(name) {
	case ".md", ".txt", ".dockerignore":
		return false
	}
	return !strings.HasPrefix(name, ".")
}
