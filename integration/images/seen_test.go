package images

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// seenFile is a file in the cache that says that a test has seen an image of this content pass.
type seenFile struct {
	t    *testing.T
	path string
}

// verdict names what a test sees by all that decides it: checks are what it looks for and how, so that
// whoever edits a check has the images looked at again that it is about.
func verdict(t *testing.T, ref string, digest v1.Hash, checks ...string) seenFile {
	key := sha256.New()
	for _, part := range append(checks, t.Name(), ref, digest.String(), enter) {
		fmt.Fprintf(key, "%d\n%s\n", len(part), part)
	}
	return seenFile{t, filepath.Join(cacheDir(), "verified", hex.EncodeToString(key.Sum(nil)))}
}

func (s seenFile) before() bool {
	_, err := os.Stat(s.path)
	if err == nil {
		s.t.Logf("seen before: %s", s.path)
	}
	return err == nil
}

func (s seenFile) keep() {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path, []byte(s.t.Name()+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}
