package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"
)

// treeEntry is a file of what the generated COPYs copy from.
type treeEntry struct {
	path     string
	mode     int64  // with the bits of setuid and so on, as in a tar
	link     string // of a symbolic link
	hardlink string
	uid, gid int
}

// sourceTree has what paths can lead through: links of all kinds, and names that mean something in
// patterns, to a shell or to a Dockerfile.
var sourceTree = []treeEntry{
	{path: "app/", mode: 0o750, uid: 1, gid: 2},
	{path: "app/v1/", mode: 0o755},
	{path: "app/v1/server", mode: 0o4755, uid: 5},
	{path: "app/v1/server.md", mode: 0o600, gid: 7},
	{path: "app/v1/hard", hardlink: "app/v1/server.md"},
	{path: "app/v1/.hidden", mode: 0o644},
	{path: "app/current", link: "v1"},
	{path: "app/absolute", link: "/app/v1"},
	{path: "app/up", link: "../etc/conf"},
	{path: "app/out", link: "../../../../etc"},
	{path: "etc/", mode: 0o755},
	{path: "etc/conf", mode: 0o644},
	{path: "etc/conf.d/", mode: 0o1777},
	{path: "etc/conf.d/x.md", mode: 0o644},
	{path: "etc/to-link", link: "/app/current/server"},
	{path: "empty/", mode: 0o700},
	{path: "dangling", link: "nowhere/at/all"},
	{path: "loop", link: "loop"},
	{path: "one/", mode: 0o755},
	{path: "one/two/", mode: 0o711},
	{path: "one/two/three/", mode: 0o755},
	{path: "one/two/three/leaf", mode: 0o644},
	{path: "one/back", link: ".."},
	{path: "names/", mode: 0o755},
	{path: "names/-dash", mode: 0o644},
	{path: "names/-", mode: 0o644},
	{path: "names/^hat", mode: 0o644},
	{path: "names/^", mode: 0o644},
	{path: "names/!bang", mode: 0o644},
	{path: "names/]close", mode: 0o644},
	{path: "names/]", mode: 0o644},
	{path: "names/[x]", mode: 0o644},
	{path: "names/x", mode: 0o644},
	{path: "names/a*b", mode: 0o644},
	{path: "names/ab", mode: 0o644},
	{path: `names/back\slash`, mode: 0o644},
	{path: `names/\`, mode: 0o644},
	{path: `names/\*`, mode: 0o644},
	{path: "names/ünï", mode: 0o644},
	{path: "names/日本", mode: 0o644},
	{path: "names/🐙", mode: 0o644},
	{path: "names/sp ace", mode: 0o644},
	{path: "names/#hash", mode: 0o644},
	{path: "names/...", mode: 0o644},
	{path: "names/..two", mode: 0o644},
	{path: "names/{a,b}", mode: 0o644},
	{path: "names/~", mode: 0o644},
	{path: `names/d\ir/`, mode: 0o755},
	{path: `names/d\ir/file`, mode: 0o644},
}

// copyTree is the archive of sourceTree; the content of the files differs from round to round.
func copyTree(round int) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range sourceTree {
		data := fmt.Sprintf("%s in round %d\n", e.path, round)
		h := &tar.Header{Name: e.path, Mode: e.mode, Uid: e.uid, Gid: e.gid, ModTime: time.Unix(1e9, 0), Typeflag: tar.TypeReg, Size: int64(len(data))}
		switch {
		case strings.HasSuffix(e.path, "/"):
			h.Typeflag, h.Size = tar.TypeDir, 0
		case e.link != "":
			h.Typeflag, h.Size, h.Linkname, h.Mode = tar.TypeSymlink, 0, e.link, 0o777
		case e.hardlink != "":
			h.Typeflag, h.Size, h.Linkname = tar.TypeLink, 0, e.hardlink
		}
		// Writing to memory does not fail; a wrong header would show in the builds.
		_ = w.WriteHeader(h)
		if h.Size > 0 {
			_, _ = io.WriteString(w, data)
		}
	}
	_ = w.Close()
	return b.Bytes()
}

// writeTree unpacks an archive of copyTree into a folder.
func writeTree(t *testing.T, dir string, archive []byte) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(to, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, to)
		case tar.TypeLink:
			err = os.Link(filepath.Join(dir, h.Linkname), to)
		default:
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(to, data, 0o644)
			}
		}
		if err == nil && (h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeReg) {
			mode := h.FileInfo().Mode()
			err = os.Chmod(to, mode.Perm()|mode&(os.ModeSetuid|os.ModeSticky))
		}
		if err == nil {
			// The daemon keeps a file of equal content, however old it is.
			err = unix.Lutimes(to, []unix.Timeval{unix.NsecToTimeval(h.ModTime.UnixNano()), unix.NsecToTimeval(h.ModTime.UnixNano())})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pushTree makes an image of one layer.
func pushTree(t *testing.T, ref string, archive []byte) {
	t.Helper()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil })
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	if image, err = mutate.ConfigFile(image, withLayers(t, image)); err != nil {
		t.Fatal(err)
	}
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parsed, image, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// withLayers is the config of an image for this machine.
func withLayers(t *testing.T, image v1.Image) *v1.ConfigFile {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	return config
}

// copySource is a kind of source that COPY has.
type copySource struct {
	name string
	from string // of --from; empty for a build context
	// inner says that the COPYs stand in a file with a context of its own.
	inner bool
}

// target is the name of a stage for --target.
func (k copySource) target(stage string) string {
	if k.inner {
		return "inner/Dockerfile#" + stage
	}
	return stage
}

// copyCase is one generated COPY.
type copyCase struct {
	base, args string
}

// knownPaths are in all cases: spellings that were lost once.
var knownPaths = []string{"/app/.", "/app/", "/app/v1/..", "//app//v1/", "/", "/.", ".", "/app/current/.", "/app/current/", "/app/absolute", "/etc/to-link/no*", "/etc/conf/*"}

// cases generates COPYs.
func (k copySource) cases(r *rand.Rand, n int) []copyCase {
	var cases []copyCase
	from := ""
	if k.from != "" {
		from = "--from=" + k.from + " "
	}
	for _, p := range knownPaths {
		cases = append(cases, copyCase{base: "new", args: from + p + " /x/"})
	}
	for len(cases) < n {
		var flags []string
		if k.from != "" {
			flags = append(flags, "--from="+k.from)
		}
		parents := false
		for _, flag := range []string{"--chown=3:4", "--chmod=640", "--chmod=u+x,g-w", "--link", "--parents", "--exclude=*.md", "--exclude=**/server*"} {
			if r.Intn(6) > 0 || strings.HasPrefix(flag, "--chmod") && strings.Contains(strings.Join(flags, " "), "--chmod") {
				continue
			}
			flags = append(flags, flag)
			parents = parents || flag == "--parents"
		}
		words := []string{spellPath(r, parents)}
		for r.Intn(4) == 0 {
			words = append(words, spellPath(r, parents))
		}
		dest := []string{"/x/", "/old/", "/", "new/dir/"}
		if len(words) == 1 {
			dest = append(dest, "/x", "/old", "/old/file", "/x/y", ".")
		}
		words = append(words, dest[r.Intn(len(dest))])
		base := []string{"new", "old"}[r.Intn(2)]
		cases = append(cases, copyCase{base: base, args: strings.Join(append(flags, jsonWords(words)), " ")})
	}
	return cases
}

// spellPath is a path of the tree in one of its many spellings, or something near it that is not there.
func spellPath(r *rand.Rand, parents bool) string {
	e := sourceTree[r.Intn(len(sourceTree))]
	p := strings.TrimSuffix(e.path, "/")
	switch r.Intn(10) {
	case 0: // through a link
		p = []string{"app/current/server", "app/absolute/.hidden", "app/out/conf", "one/back/etc/conf", "app/current", "dangling/x", "one/back"}[r.Intn(7)]
	case 1:
		p = path.Dir(p)
	case 2: // not there
		p = []string{p + "x", p + "/absent", "no/such/dir/file", "x" + p, p + "/not/there"}[r.Intn(5)]
	case 3:
		p = ""
	}
	words := escapeWord(p)
	if r.Intn(4) == 0 && len(p) > 0 { // a pattern
		at := r.Intn(len(p))
		if p[at] < 0x80 && p[at] != '/' {
			words = escapeWord(p[:at]) + []string{"?", "*", "[" + string(p[at]) + "]", "*"}[r.Intn(4)] + escapeWord(p[at+1:])
		}
	}
	for r.Intn(3) == 0 {
		switch r.Intn(9) {
		case 8:
			words = "../" + words
		case 0:
			words += "/"
		case 1:
			words += "/."
		case 2:
			words += "/.."
		case 3:
			words = strings.Replace(words, "/", "//", 1)
		case 4:
			words = strings.Replace(words, "/", "/./", 1)
		case 5:
			words = "/" + words
		case 6:
			words = "./" + words
		case 7:
			words = "app/../" + words
		}
	}
	if r.Intn(2) == 0 {
		words = "/" + words
	}
	if parents && r.Intn(2) == 0 {
		words = strings.Replace(words, "/", "/./", 1)
	}
	if words == "" {
		return "."
	}
	return words
}

// escapeWord is a word as a Dockerfile has it that means this text.
func escapeWord(text string) string {
	return strings.NewReplacer(`\`, `\\`, `$`, `\$`, `"`, `\"`, `'`, `\'`).Replace(text)
}

// jsonWords is the JSON form of a COPY's arguments.
func jsonWords(words []string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(words) // a list of strings has no errors
	return strings.TrimSpace(b.String())
}

// write makes the folders of a build, by the name of the local source: each COPY as a stage plainN and,
// with the flag, as flagN.
func (k copySource) write(t *testing.T, cases []copyCase, tree []byte) map[string]string {
	t.Helper()
	var b strings.Builder
	// Each kind has bases of its own: a pattern that matches nothing in a folder that is not there is an error,
	// unless the daemon remembers that it matched nothing elsewhere.
	fmt.Fprintf(&b, "FROM scratch AS src\nADD tree.tar /\nFROM scratch AS new\nCOPY <<end /kind\n%s\nend\nFROM new AS old\nCOPY <<end /old/file\nkept\nend\n", k.name)
	for i, c := range cases {
		fmt.Fprintf(&b, "FROM %s AS plain%d\nCOPY %s\n", c.base, i, c.args)
		fmt.Fprintf(&b, "FROM %s AS flag%d\nCOPY --if-exists %s\n", c.base, i, c.args)
	}
	text := b.String()
	dirs := map[string]string{"dockerfile": t.TempDir(), "context": t.TempDir(), "named": t.TempDir()}
	content := dirs["context"]
	if k.inner {
		content = filepath.Join(content, "sub")
		if err := os.MkdirAll(filepath.Join(dirs["dockerfile"], "inner"), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dirs["dockerfile"], "inner", "Dockerfile"), text)
		text = "FROM --context=./sub ./inner/Dockerfile\n"
	}
	for _, dir := range []string{content, dirs["named"]} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		writeTree(t, dir, tree)
	}
	writeFile(t, filepath.Join(content, "tree.tar"), string(tree))
	writeFile(t, filepath.Join(dirs["dockerfile"], "Dockerfile"), text)
	return dirs
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
