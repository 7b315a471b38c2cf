package size_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"github.com/stagecraft/stagecraft/frontend/size"
	"github.com/stagecraft/stagecraft/frontend/size/measure"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"github.com/stagecraft/stagecraft/llb/stage"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// TestGolden shows reports on made-up amounts. A case is a txtar archive of
//
//	Dockerfile, and beside/PATH   as in the goldens of llb
//	opts                          options of the client, key=value a line
//	max                           STAGECRAFT_SIZE_MAX
//	before                        a Dockerfile whose answer is the earlier one
//	text, json, summary           what comes out
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r := reported(t, archive)
			data, err := json.MarshalIndent(r, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			valid(t, "size", data)
			addsUp(t, r)
			summary := size.NewSummary([]*size.Report{r})
			short, err := json.Marshal(summary)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, "summary", short)
			if n := strings.Count(summary.Text(), "\n"); n != 2 {
				t.Errorf("the summary has %d lines", n+1)
			}
			text := r.Text()
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			if got := string(txtar.Format(with(archive, text, string(data)+"\n", summary.Text()+"\n"+string(short)+"\n"))); *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if want := string(txtar.Format(archive)); got != want {
				t.Errorf("the report is\n%s\nand should be\n%s", got, want)
			}
		})
	}
}

func with(a *txtar.Archive, text, data, summary string) *txtar.Archive {
	b := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		if f.Name != "text" && f.Name != "json" && f.Name != "summary" {
			b.Files = append(b.Files, f)
		}
	}
	b.Files = append(b.Files, txtar.File{Name: "text", Data: []byte(text)}, txtar.File{Name: "json", Data: []byte(data)},
		txtar.File{Name: "summary", Data: []byte(summary)})
	return b
}

// reported is the report of a case.
func reported(t *testing.T, archive *txtar.Archive) *size.Report {
	t.Helper()
	req := llbtest.Request{Opts: map[string]string{}, Beside: map[string]string{}}
	limit, before := "", ""
	for _, f := range archive.Files {
		switch text := string(f.Data); {
		case f.Name == "Dockerfile":
			req.Dockerfile = f.Data
		case f.Name == "opts":
			for line := range strings.Lines(text) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				req.Opts[key] = value
			}
		case f.Name == "max":
			limit = text
		case f.Name == "before":
			before = text
		case strings.HasPrefix(f.Name, "beside/"):
			req.Beside[strings.TrimPrefix(f.Name, "beside/")] = text
		}
	}
	r := report(t, req)
	if before != "" {
		old := req
		old.Dockerfile = []byte(before)
		data, err := json.Marshal(report(t, old))
		if err != nil {
			t.Fatal(err)
		}
		earlier, err := size.ReadBefore(data)
		if err != nil {
			t.Fatal(err)
		}
		r.Compare(earlier)
	}
	if limit != "" {
		bytes, err := size.ParseLimit(limit)
		if err != nil {
			t.Fatal(err)
		}
		r.Judge(bytes)
	}
	return r
}

func report(t *testing.T, req llbtest.Request) *size.Report {
	t.Helper()
	c, err := llbtest.Compile(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	in := size.Input{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Target: goal(t, c)}
	for _, gate := range compiler.Gates(c.Plan) {
		gated, err := llbtest.Compile(t.Context(), req.With(map[string]string{"target": gate.Name}))
		if err != nil {
			t.Fatal(err)
		}
		in.Gates = append(in.Gates, goal(t, gated))
	}
	return size.New(in)
}

// goal is a compilation with amounts that are made up from what makes a layer: a base has two layers, of which the
// second hides a part of the first, and rm in an instruction hides files.
func goal(t *testing.T, c *compiler.Compiled) size.Goal {
	t.Helper()
	def := definition(t, c)
	g := size.Goal{Plan: c.Plan, Chains: def.Stages, Results: map[stage.ID]*walk.Result{}}
	for id, chain := range def.Stages {
		r := &walk.Result{Largest: []walk.File{}, Paths: []walk.File{}}
		for i, step := range chain.Steps {
			code, seed := c.Plan.Stage(step.Stage).Node.Ref, int64(1000)
			if s := c.Plan.Step(step); s != nil {
				code, seed = s.Code, 10
			}
			l := walk.Measured{Amount: size.Amount{Bytes: seed * int64(len(code)*len(code)*len(code)), Files: int64(len(code))}, Changes: 1}
			if i == 1 && step == chain.Steps[0] {
				l = walk.Measured{Amount: size.Amount{Bytes: 1000, Files: 2}, Covers: size.Amount{Bytes: 500, Files: 1}, Changes: 2}
			}
			if strings.Contains(code, "rm") {
				l.Covers = size.Amount{Bytes: 123456, Files: 1}
			}
			r.Layers = append(r.Layers, l)
			r.Paths = append(r.Paths, walk.File{Path: fmt.Sprintf("/files/%d/%.12s", i, code), Bytes: l.Bytes, Layer: i})
		}
		r.Largest = r.Paths[:min(len(r.Paths), 10)]
		g.Results[id] = r
	}
	return g
}

func definition(t *testing.T, c *compiler.Compiled) *measure.Definition {
	t.Helper()
	solved, err := c.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	images, err := measure.New(t.Context(), c, solved)
	if err != nil {
		t.Fatal(err)
	}
	layers := map[digest.Digest]int{}
	for dgst := range images.List {
		layers[dgst] = 2
	}
	program := measure.Program{Image: llb.Image("frontend"), Path: "/bin/frontend", Caps: pb.Caps.CapSet(pb.Caps.All())}
	def, err := images.Define(t.Context(), program, layers)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func addsUp(t *testing.T, r *size.Report) {
	t.Helper()
	var origins, causes size.Amount
	for _, o := range r.Origins {
		origins.Add(o.Amount)
	}
	for _, c := range r.Covered.Causes {
		causes.Add(c.Amount)
	}
	if origins != r.Total || causes != r.Covered.Amount {
		t.Errorf("origins are %+v of %+v, causes %+v of %+v", origins, r.Total, causes, r.Covered.Amount)
	}
	for _, s := range r.Stages {
		if s.Name == r.Target && *s.Amount != r.Total {
			t.Errorf("the target has %+v as a stage, and %+v in total", *s.Amount, r.Total)
		}
	}
}

// valid holds JSON against docs/schemas/NAME.json.
func valid(t *testing.T, name string, data []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schemas/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%v\n%s", err, data)
	}
	if schema.Validate(map[string]any{"version": 1}) == nil {
		t.Error("the schema accepts anything")
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]int64{
		"20MB": 20e6, "20 mb": 20e6, "1.5GB": 15e8, "300000": 300000, "12 KiB": 12 << 10, "1k": 1000, " 7B ": 7, "0": 0, ".5M": 5e5,
	} {
		if got, err := size.ParseLimit(text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MB", "20XB", "-1", "1e9", "NaN", "0x10", "1..2", "99999999999TB", "20MB!", "20 MB 3"} {
		if got, err := size.ParseLimit(text); err == nil || !strings.Contains(err.Error(), "for example 20MB") {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}

func TestReadBefore(t *testing.T) {
	const ours = `{"version":1,"target":"a","platform":"linux/amd64","origins":[],"stages":[]`
	for text, want := range map[string]string{
		ours + "}": "",
		ours + `,"paths":[{"path":"/x","origin":0}]}`: "/x has no origin",
		strings.Replace(ours, "1", "2", 1) + "}":      "version 2, and this version of Stagecraft reads version 1",
		"":                                            "line 1: this is not an answer",
		"{\n\"version\": 1,\n]":                       "line 3: this is not an answer",
		"{\n\"version\": \"new\"\n}":                  "line 2: this is not an answer",
		"[]":                                          "this is not an answer",
		`{"version":1,"findings":[]}`:                 "this is not an answer of --call=size,format=json",
		"total size 12 MB\n":                          "line 1: this is not an answer",
	} {
		_, err := size.ReadBefore([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Of several platforms the text has the first, and says so.
func TestSummaryOfPlatforms(t *testing.T) {
	a := &size.Report{Target: "app", Platform: "linux/amd64", Total: size.Amount{Bytes: 3e6, Files: 1}, Union: size.Amount{Bytes: 9e6}}
	b := &size.Report{Target: "app", Platform: "linux/arm64"}
	const want = "app for linux/amd64: 3.0 MB in 1 file, and 1 more in --metadata-file\nNo gates.\nSaved 6.0 MB: one stage with everything would carry 9.0 MB."
	if got := size.NewSummary([]*size.Report{a, b}).Text(); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := size.NewSummary(nil).Text(); got != "" {
		t.Errorf("of nothing: %s", got)
	}
}

// An answer that had to be cut is compared with one that was not, at the depth of the former.
func TestComparesCutPaths(t *testing.T) {
	whole := &size.Report{Origins: make([]size.Origin, 1),
		Paths: []size.File{{Path: "/usr/lib/a/x", Bytes: 5}, {Path: "/usr/lib/b", Bytes: 6}, {Path: "/z", Bytes: 1}}}
	cut := &size.Report{Origins: make([]size.Origin, 1), Paths: []size.File{{Path: "/usr/", Bytes: 11}, {Path: "/z", Bytes: 2}}, PathDepth: 1}
	whole.Compare(cut)
	cut.Compare(&size.Report{Origins: whole.Origins, Paths: whole.Paths})
	if got := fmt.Sprint(whole.Changes, cut.Changes); got != "[{/z 2 1 0}] [{/z 1 2 0}]" {
		t.Error(got)
	}
}
