package images

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"
)

// A layer is what changed, and laid on what was there before gives what is there after.
func TestLayerHoldsChanges(t *testing.T) {
	st, err := openStore(t.TempDir(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	write := func(root, name, content string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	runs := 0
	base := &layer{name: "base", make: func(ctx context.Context, s *site) error {
		runs++
		for _, f := range []string{"kept", "changed", "gone", "dir/gone", "dir/sub/gone", "other/kept", "same-size", "dev/null"} {
			write(s.root, f, "before")
		}
		return os.Symlink("kept", filepath.Join(s.root, "link"))
	}}
	top := &layer{name: "top", below: []*layer{base}, make: func(ctx context.Context, s *site) error {
		runs++
		write(s.root, "changed", "something else")
		write(s.root, "same-size", "behind")
		old := time.Unix(1e9, 0)
		if err := os.Chtimes(filepath.Join(s.root, "same-size"), old, old); err != nil {
			return err
		}
		write(s.root, "new/file", "new")
		if err := os.Link(filepath.Join(s.root, "new/file"), filepath.Join(s.root, "new/hard")); err != nil {
			return err
		}
		return os.RemoveAll(filepath.Join(s.root, "gone"))
	}}
	gone := &layer{name: "gone", below: []*layer{base, top}, make: func(ctx context.Context, s *site) error {
		return os.RemoveAll(filepath.Join(s.root, "dir"))
	}}
	if _, err := gone.ensure(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	names := func(l *layer) []string {
		t.Helper()
		made, err := l.ensure(t.Context(), st)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		content, err := blobLayer{made, st.blob(made.DigestHash)}.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		keepWhiteouts := archive.WithConvertWhiteout(nil)
		if _, err := archive.Apply(t.Context(), dir, content, keepWhiteouts); err != nil {
			t.Fatal(err)
		}
		var files []string
		if err := walk(dir, func(path string, info os.FileInfo) error {
			if !info.IsDir() {
				files = append(files, path)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return files
	}
	if got, want := names(base), []string{"/changed", "/dir/gone", "/dir/sub/gone", "/gone", "/kept", "/link", "/other/kept", "/same-size"}; !slices.Equal(got, want) {
		t.Errorf("the first layer has %q, want %q", got, want)
	}
	if got, want := names(top), []string{"/changed", "/new/file", "/new/hard", "/same-size"}; !slices.Equal(got, want) {
		t.Errorf("the second layer has %q, want %q", got, want)
	}
	s := &site{store: st}
	root := t.TempDir()
	if err := s.unpack(t.Context(), root, base, top, gone); err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := walk(root, func(path string, info os.FileInfo) error { left = append(left, path); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/changed", "/dev", "/kept", "/link", "/new", "/new/file", "/new/hard", "/other", "/other/kept", "/same-size"}; !slices.Equal(left, want) {
		t.Errorf("together they give %q, want %q", left, want)
	}
	one, err1 := os.Stat(filepath.Join(root, "new/file"))
	two, err2 := os.Stat(filepath.Join(root, "new/hard"))
	if err1 != nil || err2 != nil || !os.SameFile(one, two) {
		t.Error("the hard link became a copy")
	}

	// The same recipe is not followed again, another one is, and so is one whose blob is lost.
	again := &layer{name: "base", make: base.make}
	if _, err := again.ensure(t.Context(), st); err != nil || runs != 2 {
		t.Errorf("an unchanged layer was made again (%d runs, %v)", runs, err)
	}
	edited := &layer{name: "base", inputs: []string{"edit"}, make: base.make}
	made, err := edited.ensure(t.Context(), st)
	if err != nil || runs != 3 {
		t.Errorf("a changed layer was not made (%d runs, %v)", runs, err)
	}
	if err := os.Truncate(st.blob(made.DigestHash), 1); err != nil {
		t.Fatal(err)
	}
	lost := &layer{name: "base", inputs: []string{"edit"}, make: base.make}
	if _, err := lost.ensure(t.Context(), st); err != nil || runs != 4 {
		t.Errorf("a damaged layer was not made again (%d runs, %v)", runs, err)
	}
	if left, err := os.ReadDir(st.path("work")); err != nil || len(left) != 0 {
		t.Errorf("left in the work folder: %v %v", left, err)
	}
}
