package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/tools/txtar"

	"github.com/stagecraft/stagecraft/frontend/size"
	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// sizeCases are Dockerfiles whose layers are not simply files that were added. Each has a context of its own
// and is built from what was pushed as $BASE: an image of several layers that hide each other's files.
var sizeCases = `
-- several layers hide each other's files --
FROM busybox
RUN mkdir -p /d/e && head -c 100000 /dev/zero >/d/a && head -c 2000 /dev/zero >/d/e/b && head -c 300 /dev/zero >/c
RUN rm /d/a && head -c 50 /dev/zero >/c
RUN rm -r /d/e && mkdir /d/e && head -c 7 /dev/zero >/d/e/new && chmod 700 /c
RUN rm /c && mkdir /c && head -c 11 /dev/zero >/c/inside
-- a base of several layers --
FROM $BASE
RUN head -c 20000 /dev/zero >/own && rm -r /c
-- a base alone --
FROM $BASE
-- hard links --
FROM busybox
RUN head -c 10000 /dev/zero >/one && ln /one /two && ln /one /three && head -c 500 /dev/zero >/old
RUN rm /two && ln /old /new && ln /one /four
RUN rm /one /three /four && chmod 600 /new
-- whiteouts and opaque folders --
FROM busybox
RUN mkdir -p /o/p/q && echo 1 >/o/p/q/one && echo 22 >/o/p/two && echo 333 >/o/three
RUN rm -r /o && mkdir -p /o/p && echo 4444 >/o/p/two
RUN mv /o /moved && touch -d '2001-01-01 00:00:00' /moved/p/two
RUN rm -r /moved/p && mkdir /moved/p && echo 4444 >/moved/p/two && touch -d '2001-01-01 00:00:00' /moved/p/two && chmod 644 /moved/p/two
RUN rm -rf /moved /etc/group
-- the same again is no new layer --
FROM busybox
COPY data /data
COPY data /data
RUN chmod 644 /data && chown 0:0 /data && cp -a /data /same && cp -a /data /same
RUN chmod 755 /data && chmod 644 /data
RUN touch /data
-- sparse and special files --
FROM busybox
RUN dd if=/dev/zero of=/sparse bs=1 count=1 seek=3000000 2>/dev/null && mkfifo /pipe && mknod /device c 1 3 && ln -s /sparse /link && truncate -s 0 /empty
RUN mkfifo /sparse2 && mv /link /sparse
RUN rm /pipe && echo file >/pipe && rm /device && mkdir /device && echo x >/device/y
-- copies with --link --
FROM busybox AS made
RUN mkdir -p /l/m && head -c 1000 /dev/zero >/l/a && head -c 200 /dev/zero >/l/m/b && ln /l/a /l/hard
FROM busybox
COPY --from=made /l /l
COPY --link --from=made /l /l
COPY --link --from=made /l/a /l/m/b
COPY --link --from=made /l/a /bin/busybox
RUN echo over >/l/a && rm -r /l/m
COPY --link data /l
WORKDIR /work/deep
-- only copies with --link --
FROM scratch
COPY --link data /a/data
COPY --link data /a/data
COPY --link data /b
-- an archive --
FROM busybox
ADD data.tar /unpacked
ADD --unpack=false data.tar /packed
COPY <<END /document
here it is
END
-- an archive alone --
FROM scratch
ADD data.tar /
-- nothing --
FROM scratch
LABEL empty=yes
-- no change --
FROM busybox
RUN true
WORKDIR /
-- stages on stages --
FROM busybox AS a
RUN head -c 1000 /dev/zero >/a
FROM a AS b
RUN head -c 200 /dev/zero >/b && rm /a
FROM b AS c
COPY --from=a /a /again
RUN rm /b
FROM c
-- owners and modes --
FROM busybox
COPY --chown=7:8 --chmod=600 data /data
RUN chown -R 1:1 /data /etc/passwd /etc/group
COPY --chown=1:1 --chmod=600 data /data
-- folders and files change places --
FROM busybox
RUN mkdir -p /x/y && echo one >/x/y/z && echo two >/f
RUN rm -r /x && echo three >/x && rm /f && mkdir /f && echo four >/f/g
RUN rm /x && ln -s /f /x && rm -r /f && ln -s /etc /f
`

// TestSizeIsThatOfTheLayers: the total of --call=size is, to the byte, what is in the layers of the image that the
// same build exports, and the same is true of each origin; origins add up to the total, and what is neither covered
// nor visible does not exist.
func TestSizeIsThatOfTheLayers(t *testing.T) {
	s := sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	base := s.Registry + "/size/base:1"
	for i, c := range txtar.Parse([]byte(sizeCases)).Files {
		t.Run(c.Name, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{
				"Dockerfile": syntaxLine + strings.ReplaceAll(string(c.Data), "$BASE", base),
				"data":       strings.Repeat("data ", 1000),
				"data.tar":   archiveOf(t),
			})
			ref := s.Registry + "/size/case:1"
			if i == 0 {
				ref = base
			}
			checkSize(t, s, dir, ref)
		})
	}
}

// The same of all examples, on the images that they are really built from.
func TestSizeOfExamples(t *testing.T) {
	for _, e := range append(slices.Clone(examples), monorepo) {
		t.Run(e.name, func(t *testing.T) {
			s := exampleSandbox(t, e.bases)
			checkSize(t, s, e.dir(), s.Registry+"/size/"+e.name)
		})
	}
}

// docs/size.md shows what --call=size says of examples/go. Its numbers are those of the images that the example was
// built from; all else is compared.
func TestSizePage(t *testing.T) {
	const page, begin, end = "../docs/size.md", "<!-- size of examples/go -->\n```\n", "```\n<!-- end of size -->"
	s := exampleSandbox(t, []string{"golang:1.22-alpine"})
	got := askSize(t, s, "../examples/go", "--call=size")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	shown, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the answer", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if withoutNumbers(got) != withoutNumbers(shown) {
		t.Errorf("%s shows\n%s\nand the answer is\n%s", page, shown, got)
	}
}

var (
	sizeNumber = regexp.MustCompile(`[0-9.,]+( (B|kB|MB|GB|%))?`)
	spaces     = regexp.MustCompile(` +`)
)

// withoutNumbers is a text of which only the words are left, and of the largest files nothing: which these are
// depends on the base.
func withoutNumbers(text string) string {
	text, _, _ = strings.Cut(text, "\nLARGEST")
	return spaces.ReplaceAllString(sizeNumber.ReplaceAllString(text, "N"), " ")
}

// checkSize builds what is in a folder, pushes it as ref, and compares the layers with what --call=size says.
func checkSize(t *testing.T, s *sandbox.Sandbox, dir, ref string, args ...string) *size.Report {
	t.Helper()
	args = append([]string{"--provenance=false"}, args...)
	exported := exportedLayers(t, s, dir, ref, args...)
	r := sizeOf(t, s, dir, args...)
	var total, visible size.Amount
	for _, l := range exported {
		total.Add(l)
	}
	if r.Total != total {
		t.Errorf("the layers carry %+v, and the answer says %+v", total, r.Total)
	}
	var origins size.Amount
	for _, o := range r.Origins {
		origins.Add(o.Amount)
	}
	if origins != r.Total {
		t.Errorf("the origins add up to %+v, and the total is %+v", origins, r.Total)
	}
	for _, f := range r.Paths {
		visible.Add(size.Amount{Bytes: f.Bytes, Files: 1})
	}
	if visible.Bytes != r.Total.Bytes-r.Covered.Bytes || r.PathDepth == 0 && visible.Files != r.Total.Files-r.Covered.Files {
		t.Errorf("of %+v are %+v covered and %+v visible", r.Total, r.Covered.Amount, visible)
	}
	if r.Incomplete != "" {
		t.Errorf("not exact: %s", r.Incomplete)
	}
	// From the top, each origin that is no base has a layer of its own.
	for i := len(r.Origins) - 1; i >= 0 && len(exported) > 0 && r.Origins[i].Kind != size.KindBase; i-- {
		last := len(exported) - 1
		if r.Origins[i].Amount != exported[last] {
			t.Errorf("%s: the layer carries %+v, and the answer says %+v", r.Origins[i].Code, exported[last], r.Origins[i].Amount)
		}
		exported = exported[:last]
	}
	return r
}

// exportedLayers builds and pushes an image, and returns what its uncompressed layers carry.
func exportedLayers(t *testing.T, s *sandbox.Sandbox, dir, ref string, args ...string) []size.Amount {
	t.Helper()
	cmd := s.Buildx(append(append([]string{"build", "--tag", ref, "--push"}, args...), dir)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(parsed)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var amounts []size.Amount
	for _, l := range layers {
		amounts = append(amounts, carried(t, l))
	}
	return amounts
}

func carried(t *testing.T, l v1.Layer) (a size.Amount) {
	t.Helper()
	content, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg && !strings.HasPrefix(path.Base(h.Name), ".wh.") {
			a.Add(size.Amount{Bytes: h.Size, Files: 1})
		}
	}
}

// sizeOf asks for the size as JSON, and looks at the text as well.
func sizeOf(t *testing.T, s *sandbox.Sandbox, dir string, args ...string) *size.Report {
	t.Helper()
	var r size.Report
	if err := json.Unmarshal([]byte(askSize(t, s, dir, "--call=size,format=json", args...)), &r); err != nil {
		t.Fatal(err)
	}
	text := askSize(t, s, dir, "--call=size", args...)
	t.Logf("\n%s", text)
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	return &r
}

func askSize(t *testing.T, s *sandbox.Sandbox, dir, call string, args ...string) string {
	t.Helper()
	cmd := s.Buildx(append(append([]string{"build", call}, args...), dir)...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return out.String()
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// archiveOf is an archive with a hard link, a symbolic link and a file that stands in it twice.
func archiveOf(t *testing.T) string {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, h := range []tar.Header{
		{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "dir/file", Typeflag: tar.TypeReg, Mode: 0o644, Size: 5000},
		{Name: "dir/hard", Typeflag: tar.TypeLink, Linkname: "dir/file"},
		{Name: "dir/soft", Typeflag: tar.TypeSymlink, Linkname: "file"},
		{Name: "twice", Typeflag: tar.TypeReg, Mode: 0o644, Size: 10},
		{Name: "twice", Typeflag: tar.TypeReg, Mode: 0o644, Size: 20},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return data.String()
}
