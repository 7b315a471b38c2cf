package flatten_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stagecraft/stagecraft/frontend/flatten"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// flattened flattens a request, and returns the request for docker/dockerfile.
func flattened(ctx context.Context, r llbtest.Request) (*flatten.Report, llbtest.Request, error) {
	req, err := r.Compiler(ctx)
	if err != nil {
		return nil, r, errNotOurs{err}
	}
	req.Tolerant = true
	resolved, err := compiler.Graph(ctx, req)
	if err != nil {
		return nil, r, errNotOurs{err}
	}
	report, err := flatten.New(flatten.Input{Graph: resolved.Graph, Target: req.Target != "", BuildArgs: req.BuildArgs})
	if err != nil {
		return nil, r, err
	}
	req, _ = r.Compiler(ctx)
	if err := report.Verify(ctx, req); err != nil {
		return report, r, err
	}
	flat := r.With(nil)
	flat.Dockerfile, flat.Beside, flat.InContext = []byte(report.Dockerfile), nil, nil
	delete(flat.Opts, "target")
	for _, c := range report.Contexts {
		if flat.Opts["context:"+c.Name] == "" {
			flat.Opts["context:"+c.Name] = "local:" + c.Name
		}
	}
	return report, flat, nil
}

// errNotOurs is an error of a Dockerfile, of which flatten is never asked.
type errNotOurs struct{ error }

// law says whether docker/dockerfile does with the flattened file what we do
// with the original: the same operations, and the same config.
func law(t *testing.T, r llbtest.Request) (*flatten.Report, error) {
	t.Helper()
	ours := llbtest.Ours(t.Context(), r)
	if ours.Err != nil {
		return nil, errNotOurs{ours.Err}
	}
	report, flat, err := flattened(t.Context(), r)
	if err != nil {
		return report, err
	}
	theirs := llbtest.Upstream(t.Context(), flat)
	if !llbtest.Oracle {
		return report, nil
	}
	if theirs.Err != nil {
		t.Fatalf("docker/dockerfile: %v\n%s", theirs.Err, flat.Dockerfile)
	}
	for i := range ours.Builds {
		want, got := operations(t, ours.Builds[i].Def, report), operations(t, theirs.Builds[i].Def, report)
		if want != got {
			t.Errorf("other operations\nours:\n%s\ndocker/dockerfile:\n%s\nof:\n%s", want, got, flat.Dockerfile)
		}
		if want, got := config(t, ours.Builds[i].Image), config(t, theirs.Builds[i].Image); want != got {
			t.Errorf("another config\nours:\n%s\ndocker/dockerfile:\n%s\nof:\n%s", want, got, flat.Dockerfile)
		}
	}
	return report, nil
}

// operations are the operations of a definition as text, each with the digests
// of what it is made from. What fetches a local folder counts by the folder's
// name alone: a named context has another name than the folder that it stands
// for, and may be fetched in parts; that is no part of any cache key.
func operations(t *testing.T, def *llb.Definition, report *flatten.Report) string {
	t.Helper()
	names := map[string]string{}
	for _, c := range report.Contexts {
		names["local://other:"+strings.TrimPrefix(c.Path, "./")] = "local://" + c.Name
		names["local://other:"+c.Name] = "local://" + c.Name
	}
	canonical := map[string]string{}
	var lines []string
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		if src := op.GetSource(); src != nil && strings.HasPrefix(src.Identifier, "local://") {
			if name, ok := names[src.Identifier]; ok {
				src.Identifier = name
			}
			if src.Identifier != "local://context" {
				src.Attrs = nil
			} else if follow, ok := src.Attrs[pb.AttrFollowPaths]; ok {
				src.Attrs[pb.AttrFollowPaths] = flatten.SentPaths(follow)
			}
		}
		for _, in := range op.Inputs {
			in.Digest = canonical[in.Digest]
		}
		text, err := json.Marshal(&op)
		if err != nil {
			t.Fatal(err)
		}
		canonical[digest.FromBytes(dt).String()] = digest.FromBytes(text).String()
		lines = append(lines, digest.FromBytes(text).Encoded()[:12]+" "+string(text)+"\n")
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "")
}

func config(t *testing.T, text string) string {
	t.Helper()
	var img map[string]any
	if err := json.Unmarshal([]byte(text), &img); err != nil {
		t.Fatal(err)
	}
	history, _ := img["history"].([]any)
	img["history"] = len(history)
	dt, err := json.Marshal(img)
	if err != nil {
		t.Fatal(err)
	}
	return string(dt)
}

// unsayable is what docker/dockerfile has no words for. A flag that its parser
// does not know counts as well: see refused.
var unsayable = regexp.MustCompile(`(?i)unset |(ENV|LABEL) --(file|from)|--arg=|COPY .*--target-platform|--no-cache|--squash|--keep-root|WORKDIR --ch|--if-exists .*/|--if-exists.*--|--if-exists .*-d|ONBUILD .*(INCLUDE|\$|--from=\.)`)

// refused reports whether an error is about what docker/dockerfile has no words
// for.
func refused(err error, text string) bool {
	msg := err.Error()
	return strings.Contains(msg, "has no words for") && (unsayable.MatchString(text) || strings.Contains(msg, "unknown flag: --"))
}

// Every golden case of the compiler flattens to the same operations, or says
// which of its lines cannot be said.
func TestGoldensOfTheCompiler(t *testing.T) {
	cases, err := filepath.Glob("../../llb/testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r := readCase(a)
			if _, err = law(t, r); errors.As(err, new(errNotOurs)) {
				return
			}
			if err != nil && !refused(err, string(txtar.Format(a))) {
				t.Error(err)
			}
		})
	}
}

// Each golden case of this package is a build as in llb/testdata, and what it
// becomes: "flattened" or "error", and with Partial "partial".
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r := readCase(a)
			got := &txtar.Archive{Comment: a.Comment}
			for _, f := range a.Files {
				if f.Name != "flattened" && f.Name != "error" && f.Name != "partial" {
					got.Files = append(got.Files, f)
				}
			}
			if report, err := law(t, r); err != nil {
				text := fmt.Sprintf("line %d: %v\n", firstLine(err), err)
				got.Files = append(got.Files, txtar.File{Name: "error", Data: []byte(text)},
					txtar.File{Name: "partial", Data: []byte(partial(t, r))})
			} else {
				got.Files = append(got.Files, txtar.File{Name: "flattened", Data: []byte(report.Dockerfile)})
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want, got := string(txtar.Format(a)), string(txtar.Format(got)); want != got {
				t.Errorf("differs from %s (go test ./frontend/flatten -update rewrites it): %s", path, firstDifference(want, got))
			}
		})
	}
}

func firstLine(err error) int {
	var located *parser.LocationError
	if !errors.As(err, &located) {
		return 0
	}
	return located.Locations[0][0].Start.Line
}

// partial is a request with comments for what cannot be said. docker/dockerfile
// must be able to read that.
func partial(t *testing.T, r llbtest.Request) string {
	t.Helper()
	req, err := r.Compiler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req.Tolerant = true
	resolved, err := compiler.Graph(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	report, err := flatten.New(flatten.Input{Graph: resolved.Graph, Target: req.Target != "", BuildArgs: req.BuildArgs, Partial: true})
	if err != nil || len(report.Missing) == 0 {
		t.Fatalf("%v, %+v", err, report)
	}
	tree, err := parser.Parse(strings.NewReader(report.Dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := instructions.Parse(tree.AST, nil); err != nil {
		t.Errorf("%v in\n%s", err, report.Dockerfile)
	}
	return report.Dockerfile
}

// readCase is the request of a golden case of the compiler.
func readCase(a *txtar.Archive) llbtest.Request {
	r := llbtest.Request{
		Opts:  map[string]string{"platform": "linux/amd64"},
		Files: map[string]map[string]string{}, Beside: map[string]string{}, InContext: map[string]string{},
	}
	for _, f := range a.Files {
		dir, name, _ := strings.Cut(f.Name, "/")
		switch {
		case f.Name == "Dockerfile":
			r.Dockerfile = f.Data
		case f.Name == "opts":
			for line := range strings.Lines(string(f.Data)) {
				k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				r.Opts[k] = v
			}
		case f.Name == "ignore":
			r.Ignore = string(f.Data)
		case f.Name == "old-daemon":
			r.OldDaemon = true
		case dir == "files":
			folder, file, _ := strings.Cut(name, "/")
			if r.Files[folder] == nil {
				r.Files[folder] = map[string]string{}
			}
			r.Files[folder][file] = string(f.Data)
		case dir == "beside":
			r.Beside[name] = string(f.Data)
		case dir == "context":
			r.InContext[name] = string(f.Data)
		}
	}
	return r
}

// Of a file that docker/dockerfile builds, nothing changes but the syntax line.
func TestIdentityOnTheCorpus(t *testing.T) {
	root := os.Getenv("STAGECRAFT_CORPUS")
	if root == "" {
		root = "../../llb/testdata/corpus"
	}
	files, err := llbtest.Corpus(root)
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus in %s: %v", root, err)
	}
	same, built := 0, 0
	for _, f := range files {
		r := f.With(map[string]string{"platform": "linux/amd64"})
		if llbtest.Ours(t.Context(), r).Err != nil {
			continue // no Dockerfile that builds
		}
		built++
		if testing.Short() && built%4 != 0 {
			same++
			continue
		}
		plain := llbtest.Oracle && llbtest.Upstream(t.Context(), r).Err == nil
		report, err := law(t, r)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		got, want := withoutSyntax(report.Dockerfile), withoutSyntax(string(f.Dockerfile))
		switch {
		case got == want:
			same++
		case plain:
			t.Errorf("%s: %s", f.Name, firstDifference(want, got))
		}
	}
	t.Logf("%d of %d files that build are as they were", same, built)
	if same < built*9/10 || built < len(files)/5 {
		t.Errorf("of %d files only %d build, and %d are as they were", len(files), built, same)
	}
}

// withoutSyntax is a Dockerfile without its syntax line.
func withoutSyntax(text string) string {
	var kept strings.Builder
	for i, line := range strings.SplitAfter(text, "\n") {
		trimmed := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(line, "\uFEFF"), " ", ""))
		if i < 4 && strings.HasPrefix(trimmed, "#syntax=") {
			continue
		}
		kept.WriteString(line)
	}
	return strings.TrimPrefix(kept.String(), "\uFEFF")
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n  want %q\n  got  %q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines wanted, %d there", len(a), len(b))
}

// Answers keep to the schema.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schemas/flatten.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"context", "files", "unsayable"} {
		a, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		req, err := readCase(a).Compiler(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		req.Tolerant = true
		resolved, err := compiler.Graph(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		report, err := flatten.New(flatten.Input{Graph: resolved.Graph, Partial: true})
		if err != nil {
			t.Fatal(err)
		}
		dt, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(dt))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v\n%s", name, err, dt)
		}
	}
	if schema.Validate(map[string]any{"version": 1, "dockerfile": "FROM x"}) == nil {
		t.Error("the schema accepts anything")
	}
}
