package gateway

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagecraft/stagecraft/llb/crash"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"golang.org/x/sync/errgroup"
)

const (
	// maxTogether is how many files one transfer brings: their paths travel
	// in a header, which has a limit.
	maxTogether = 256
	// maxReads is how many files are read from the daemon at once.
	maxReads = 8
)

// readyFile is a file that came together with others.
type readyFile struct {
	tree *tree
	data []byte
}

func fileKey(root dockerfile.Root, p string) string { return fmt.Sprint(root, p) }

// ExpectFiles gets files that will be read, in as few transfers as can be.
// What is not found so, such as what a symbolic link leads to, is left to
// ReadFile, and so are all errors.
func (s *Session) ExpectFiles(ctx context.Context, root dockerfile.Root, paths []string) {
	paths = slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		_, ready := s.read.ready.Load(fileKey(root, p))
		return ready
	})
	if len(paths) < 2 {
		return // nothing to save
	}
	for some := range slices.Chunk(paths, maxTogether) {
		s.expectTogether(ctx, root, some)
	}
}

// expectTogether gets some files, and the ignore files that belong to them, in
// one transfer.
func (s *Session) expectTogether(ctx context.Context, root dockerfile.Root, files []string) {
	var paths, excludes []string
	for _, p := range files {
		paths = append(paths, p, p+ignoreSuffix)
		excludes = append(excludes, p+"/*")
	}
	t, err := s.openRoot(ctx, root, paths, excludes)
	if err != nil {
		return
	}
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(maxReads)
	for _, p := range files {
		eg.Go(func() (err error) {
			// What goes wrong here does so again where the file is read, and is reported there.
			defer crash.Recover(&err)
			if data, found, err := t.read(ctx, p); err == nil && found {
				s.read.ready.Store(fileKey(root, p), &readyFile{tree: t, data: data})
			}
			return nil
		})
	}
	_ = eg.Wait()
}

// loading returns the name of a transfer in the progress.
func loading(paths []string) string {
	// Next to each file stands its ignore file.
	if more := len(paths)/2 - 1; more > 0 {
		return fmt.Sprintf("[internal] load %s and %d more files", paths[0], more)
	}
	return "[internal] load " + paths[0]
}
