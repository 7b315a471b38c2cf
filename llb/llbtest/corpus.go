package llbtest

import (
	"hash/fnv"
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
// the ignore file that stands next to it under the name NAME.dockerignore.
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

// Turn returns a part of the requests to make for a file: the first, and one in
// four of the others. Which ones depends on the file's name, so that of all
// files of a corpus together none is left out.
func Turn[R any](f File, all []R) []R {
	of := fnv.New32a()
	of.Write([]byte(f.Name))
	first := int(of.Sum32() % 4)
	var some []R
	for i, r := range all {
		if i == 0 || i%4 == first {
			some = append(some, r)
		}
	}
	return some
}

func isDockerfile(name string) bool {
	switch filepath.Ext(name) {
	case ".md", ".txt", ".dockerignore":
		return false
	}
	return !strings.HasPrefix(name, ".")
}
