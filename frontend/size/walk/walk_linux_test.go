package walk

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"
)

// Layers of arbitrary filesystems amount to what containerd's exporter writes into its archives, and what
// they hide is the rest of what unpacking these archives one over the other leaves. (Not compared where a file
// has names of several layers: of the exporter's two ways to find differences, one writes its older names again,
// and one does not.)
func TestMeasuresWhatIsExported(t *testing.T) {
	for seed := range uint64(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			g := &generator{Rand: rand.New(rand.NewPCG(seed, 13)), t: t, dir: t.TempDir(), newLinks: seed%2 == 0}
			layers := 2 + g.IntN(3)
			spec := Spec{}
			for i := range layers {
				g.state(i)
				spec.Layers = append(spec.Layers, Layer{Lower: i - 1, Upper: i})
			}
			got := run(t, g.dir, spec)
			want := &unpacked{files: map[string]*archived{}}
			for i := range layers {
				want.apply(t, diff(t, g.dir, i))
			}
			for i, l := range got.Layers {
				if l.Amount != want.layers[i] {
					t.Errorf("layer %d has %+v, and the exporter writes %+v", i, l.Amount, want.layers[i])
				}
			}
			if !g.newLinks {
				return
			}
			total, covered := Amount{}, Amount{}
			for _, l := range got.Layers {
				total.Add(l.Amount)
				covered.Add(l.Covers)
			}
			if left := want.left(); left.Bytes != total.Bytes-covered.Bytes || left.Files != total.Files-covered.Files {
				t.Errorf("of %+v are covered %+v, and %+v are left", total, covered, left)
			}
			if text, want := fmt.Sprint(got.Paths), fmt.Sprint(want.paths()); text != want {
				t.Errorf("visible are\n%s\nand should be\n%s", text, want)
			}
		})
	}
}

// Measured in one step or in several that stand on each other, the result is the same.
func TestStandsOnOtherSteps(t *testing.T) {
	for seed := range uint64(30) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 31)), t: t, dir: t.TempDir()}
		var spec Spec
		for i := range 4 {
			g.state(i)
			spec.Layers = append(spec.Layers, Layer{Lower: i - 1, Upper: i})
		}
		at := Places{Root: g.dir, Below: filepath.Join(g.dir, "out"), Out: filepath.Join(g.dir, "out")}
		if err := os.Mkdir(at.Out, 0o755); err != nil {
			t.Fatal(err)
		}
		whole := run(t, g.dir, spec)
		var last []byte
		for i, l := range spec.Layers {
			if err := Run(marshal(t, Spec{Layers: []Layer{l}, Below: i > 0}), at); err != nil {
				t.Fatal(err)
			}
			last = read(t, filepath.Join(at.Out, ResultFile))
		}
		if got, want := string(last), marshal(t, whole); got != want {
			t.Errorf("seed %d: in steps\n%s\nat once\n%s", seed, got, want)
		}
	}
}

// A layer of COPY --link is laid over the others whatever they have.
func TestLaysOver(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "0/a/one", 10)
	write(t, dir, "0/a/two", 20)
	write(t, dir, "0/b", 40)
	write(t, dir, "0/c/three", 80)
	write(t, dir, "1/a/one", 5)    // over a file
	write(t, dir, "1/b/inside", 6) // a folder over a file
	write(t, dir, "1/c", 7)        // a file over a folder
	got := run(t, dir, Spec{Layers: []Layer{{Nothing, 0, false}, {Nothing, 1, false}}})
	if l := got.Layers[1]; l.Amount != (Amount{18, 3}) || l.Covers != (Amount{130, 3}) {
		t.Errorf("the second layer is %+v", l)
	}
	want := "[{/a/one 5 1} {/a/two 20 0} {/b/inside 6 1} {/c 7 1}]"
	if text := fmt.Sprint(got.Paths); text != want {
		t.Errorf("visible are %s, want %s", text, want)
	}
	if text := fmt.Sprint(got.Largest); text != "[{/a/two 20 0} {/c 7 1} {/b/inside 6 1} {/a/one 5 1}]" {
		t.Errorf("largest are %s", text)
	}
}

func TestFolds(t *testing.T) {
	var files []File
	for i := range 40 {
		files = append(files, File{fmt.Sprintf("/usr/lib/p%02d/x/file", i), 2, i % 3}, File{fmt.Sprintf("/usr/lib/p%02d/y", i), 1, 0})
	}
	files = append(files, File{"/zero", 3, 1})
	for _, test := range []struct{ limit, entries, depth int }{{100, 81, 0}, {80, 41, 3}, {40, 2, 2}, {2, 2, 2}, {1, 2, 1}} {
		got, depth := fold(files, test.limit)
		sum := int64(0)
		for _, f := range got {
			sum += f.Bytes
		}
		if len(got) != test.entries || depth != test.depth || sum != 123 {
			t.Errorf("%d paths become %d to depth %d with %d bytes: %v", test.limit, len(got), depth, sum, got)
		}
	}
	if got := fmt.Sprint(Fold(files, 2)); got != "[{/usr/lib/ 120 0} {/zero 3 1}]" {
		t.Error(got)
	}
}

// What is not text is shown as text, and two names do not become one.
func TestNamesThatAreNoText(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "0/\xffa", 1)
	write(t, dir, "0/\xfea", 2)
	write(t, dir, "0/ä\nb", 4)
	if err := Run(marshal(t, Spec{Layers: []Layer{{Nothing, 0, false}}}), Places{Root: dir, Out: dir}); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "1/\xffa", 8)
	write(t, dir, "1/\xfea", 2)
	write(t, dir, "1/ä\nb", 4)
	got := run(t, dir, Spec{Layers: []Layer{{Nothing, 1, false}}, Below: true})
	if text := fmt.Sprint(got.Paths); text != fmt.Sprint([]File{{"/ä\nb", 4, 1}, {`/\xfea`, 2, 1}, {`/\xffa`, 8, 1}}) {
		t.Errorf("visible are %s", text)
	}
	if l := got.Layers[1]; l.Covers != (Amount{7, 3}) {
		t.Errorf("the second layer is %+v", l)
	}
}

// generator makes filesystems by chance, each from the one before, in the folders 0, 1, 2 …
type generator struct {
	*rand.Rand
	t   *testing.T
	dir string
	now string // the present state
	// newLinks keeps files that the state before has from getting further names.
	newLinks bool
	copied   map[uint64]bool // the inodes of the present state that were there at its beginning
}

var names = []string{"a", "b", "c", "a/a", "a/b", "a/c", "b/a", "b/b", "a/a/a", "a/a/b"}

func (g *generator) state(number int) {
	g.now = Mount(g.dir, number)
	if number == 0 {
		if err := os.Mkdir(g.now, 0o755); err != nil {
			g.t.Fatal(err)
		}
	} else if out, err := exec.Command("cp", "-a", Mount(g.dir, number-1), g.now).CombinedOutput(); err != nil {
		g.t.Fatalf("%v\n%s", err, out)
	}
	g.copied = map[uint64]bool{}
	if err := filepath.Walk(g.now, func(_ string, info os.FileInfo, err error) error {
		if err == nil {
			g.copied[stat(info).Ino] = true
		}
		return err
	}); err != nil {
		g.t.Fatal(err)
	}
	for range 3 + g.IntN(8) {
		g.change()
	}
}

// old says that a file comes from the state before, as the copy of that leaves it or changed since.
func (g *generator) old(info os.FileInfo) bool { return g.copied[stat(info).Ino] }

func (g *generator) name() string { return filepath.Join(g.now, names[g.IntN(len(names))]) }

// change does something that may not be possible; then it does nothing.
func (g *generator) change() {
	name := g.name()
	switch g.IntN(10) {
	case 0, 1:
		os.MkdirAll(name, 0o755)
	case 2, 3, 4:
		os.MkdirAll(filepath.Dir(name), 0o755)
		// O_NONBLOCK, because it may be a pipe.
		if f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o644); err == nil {
			f.Write(bytes.Repeat([]byte{byte(g.IntN(3))}, g.IntN(5)*g.IntN(5)))
			f.Close()
		}
		// The same time, in whole seconds or not: what was written again may be the same.
		when := time.Unix(1e9, int64(g.IntN(2)))
		os.Chtimes(name, when, when)
	case 5:
		if dir, err := os.Stat(filepath.Dir(name)); err == nil && dir.IsDir() { // it may be a pipe
			os.RemoveAll(name)
		}
	case 6:
		if info, err := os.Lstat(name); err == nil && (!g.newLinks || !g.old(info)) {
			os.Link(name, g.name())
		}
	case 7:
		os.Symlink("a", name)
	case 8:
		os.Chmod(name, 0o700)
	case 9:
		syscall.Mkfifo(name, 0o644)
		if f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			f.Truncate(int64(g.IntN(3) * 1000)) // sparse, where it is a file
			f.Close()
		}
	}
}

// diff is a layer as the exporter writes it.
func diff(t *testing.T, dir string, number int) []byte {
	var layer bytes.Buffer
	lower := ""
	if number > 0 {
		lower = Mount(dir, number-1)
	}
	if err := archive.WriteDiff(t.Context(), &layer, lower, Mount(dir, number)); err != nil {
		t.Fatal(err)
	}
	return layer.Bytes()
}

// unpacked is what archives leave, one unpacked over the other.
type unpacked struct {
	files  map[string]*archived
	layers []Amount
}

type archived struct {
	bytes int64
	layer int
}

func (u *unpacked) apply(t *testing.T, layer []byte) {
	number := len(u.layers)
	u.layers = append(u.layers, Amount{})
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(h.Name, "/")
		dir, base := filepath.Split(name)
		if gone, ok := strings.CutPrefix(base, ".wh."); ok {
			u.remove(dir + gone)
			continue
		}
		var made *archived
		switch h.Typeflag {
		case tar.TypeReg:
			made = &archived{h.Size, number}
			u.layers[number].Add(Amount{h.Size, 1})
		case tar.TypeLink:
			made = u.files[h.Linkname]
		case tar.TypeDir:
			delete(u.files, name)
			continue
		}
		u.remove(name)
		if made != nil {
			u.files[name] = made
		}
	}
}

func (u *unpacked) remove(name string) {
	maps.DeleteFunc(u.files, func(known string, _ *archived) bool { return known == name || strings.HasPrefix(known, name+"/") })
}

func (u *unpacked) left() Amount {
	var left Amount
	for _, f := range u.paths() {
		left.Add(Amount{f.Bytes, 1})
	}
	return left
}

func (u *unpacked) paths() []File {
	var files []File
	seen := map[*archived]bool{}
	byPath := slices.SortedFunc(maps.Keys(u.files), func(a, b string) int {
		return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
	})
	for _, name := range byPath {
		if f := u.files[name]; !seen[f] {
			seen[f] = true
			files = append(files, File{"/" + name, f.bytes, f.layer})
		}
	}
	return files
}

func run(t *testing.T, dir string, spec Spec) *Result {
	t.Helper()
	if err := Run(marshal(t, spec), Places{Root: dir, Below: dir, Out: dir}); err != nil {
		t.Fatal(err)
	}
	var r Result
	if err := json.Unmarshal(read(t, filepath.Join(dir, ResultFile)), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func marshal(t *testing.T, value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func read(t *testing.T, name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, dir, name string, bytes int) {
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, make([]byte, bytes), 0o644); err != nil {
		t.Fatal(err)
	}
}
