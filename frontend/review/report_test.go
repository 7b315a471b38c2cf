package review_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stagecraft/stagecraft/frontend/review"
	"golang.org/x/tools/txtar"
)

// A golden case is a Dockerfile, the arguments of its build in the comment, and
// the answer.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden cases", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b := build{args: map[string]string{}}
			for _, word := range strings.Fields(string(ar.Comment)) {
				name, value, _ := strings.Cut(word, "=")
				switch name {
				case "target":
					b.target = value
				case "skip":
					b.skip = strings.Split(value, ",")
				default:
					b.args[name] = value
				}
			}
			want := ""
			for i := range ar.Files {
				switch ar.Files[i].Name {
				case "Dockerfile":
					b.dockerfile = string(ar.Files[i].Data)
				case "text":
					want = string(ar.Files[i].Data)
				}
			}
			got := b.must(t).Text()
			if *update {
				ar.Files = []txtar.File{{Name: "Dockerfile", Data: []byte(b.dockerfile)}, {Name: "text", Data: []byte(got)}}
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// numbered misses one practice, NumericFrom, on its last line.
var numbered = lines("FROM golang:1.22 AS build", "RUN go build -o /server .", "FROM scratch", "COPY --from=0 /server /server")

func TestSkips(t *testing.T) {
	const rule = "NumericFrom"
	above := strings.Replace(numbered, "COPY", "# check=skip="+rule+"\nCOPY", 1)
	elsewhere := strings.Replace(numbered, "RUN", "# check=skip="+rule+"\nRUN", 1)
	for name, test := range map[string]struct {
		build
		found, passed bool
	}{
		"nowhere":                  {build{dockerfile: numbered}, true, false},
		"by the client":            {build{dockerfile: numbered, skip: []string{rule}}, false, false},
		"all by the client":        {build{dockerfile: numbered, skip: []string{"all"}}, false, false},
		"at the top":               {build{dockerfile: "# check=skip=" + rule + "\n" + numbered}, false, false},
		"with others":              {build{dockerfile: "# check=skip=JSONArgsRecommended," + rule + "\n" + numbered}, false, false},
		"all at the top":           {build{dockerfile: "# check=skip=all\n" + numbered}, false, false},
		"another one":              {build{dockerfile: "# check=skip=UnnamedStage\n" + numbered}, true, false},
		"above the instruction":    {build{dockerfile: above}, false, true},
		"above another one":        {build{dockerfile: elsewhere}, true, false},
		"upstream's error setting": {build{dockerfile: "# check=error=true\n" + numbered}, true, false},
	} {
		r := test.must(t)
		if found := len(of(r, rule)) > 0; found != test.found {
			t.Errorf("skipped %s: found %v, want %v", name, found, test.found)
		}
		if slices.Contains(r.Missed, rule) != test.found || slices.Contains(r.Passed, rule) != test.passed {
			t.Errorf("skipped %s: passed %v, missed %v", name, r.Passed, r.Missed)
		}
	}
}

// A rule that does not apply neither passes nor is missed.
func TestApplies(t *testing.T) {
	r := build{dockerfile: lines("FROM scratch", "COPY x /x")}.must(t)
	for _, rule := range []string{"UnnamedStage", "UnpinnedBase", "UndeclaredArg", "LooseSyntax"} {
		if slices.Contains(r.Passed, rule) || slices.Contains(r.Missed, rule) {
			t.Errorf("%s: passed %v, missed %v", rule, r.Passed, r.Missed)
		}
	}
}

// What docker/dockerfile's own checks say of a line is not said twice.
func TestSilence(t *testing.T) {
	text := lines("FROM alpine:3.19 AS base", "FROM --platform=linux/arm64 base AS build", "RUN true")
	if found := of(build{dockerfile: text}.must(t), "PlatformOnStage"); len(found) > 0 {
		t.Errorf("FromPlatformFlagConstDisallowed has it already: %v", found)
	}
	text = "# check=skip=FromPlatformFlagConstDisallowed\n" + text
	if found := of(build{dockerfile: text}.must(t), "PlatformOnStage"); len(found) != 1 {
		t.Errorf("nothing else has it, and the rule has %v", found)
	}
}

// Real answers, on real files and with everything in them, keep to the schema.
func TestSchemaOnRealFiles(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile("../../docs/schemas/review.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(name string, r *review.Report) {
		t.Helper()
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
		if !strings.HasPrefix(string(data), `{"version":1,`) {
			t.Errorf("%s: the version does not come first: %.40s", name, data)
		}
	}
	for name, r := range reports(t) {
		valid(name, r)
	}
	valid("an unused argument", build{dockerfile: numbered, args: map[string]string{"X": "1"}}.must(t))
	valid("nothing to judge", build{dockerfile: "FROM scratch\n"}.must(t))
	if schema.Validate(map[string]any{"version": 1, "error": "x"}) == nil {
		t.Error("the schema accepts anything")
	}
}

// A finding without a place has its file only, in every form.
func TestNoPlace(t *testing.T) {
	r := build{dockerfile: lines("FROM scratch", "COPY x /x"), args: map[string]string{"VERSON": "1", "BUILDKIT_SYNTAX": "x", "HTTP_PROXY": "y"}}.must(t)
	if len(r.Findings) != 1 || r.Findings[0].Line != 0 || r.Findings[0].File != "Dockerfile" {
		t.Fatalf("%+v", r.Findings)
	}
	if text := r.Text(); !strings.Contains(text, "\nDockerfile: no stage of this build uses the build argument VERSON\n") || strings.Contains(text, "---") {
		t.Error(text)
	}
	if text := r.GitHub(); !strings.HasPrefix(text, "::warning file=Dockerfile,title=UnusedBuildArg%3A ") {
		t.Error(text)
	}
	data, err := r.SARIF()
	if err != nil || strings.Contains(string(data), "region") {
		t.Error(err, string(data))
	}
}

// Annotations escape what would end them early.
func TestGitHub(t *testing.T) {
	text := build{dockerfile: numbered}.must(t).GitHub()
	if strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "::warning file=Dockerfile,line=4,endLine=4,title=NumericFrom%3A ") {
		t.Error(text)
	}
	if !strings.Contains(text, "%0A") {
		t.Error("why and how to mend it are missing:", text)
	}
}

func TestSARIF(t *testing.T) {
	data, err := build{dockerfile: numbered}.must(t).SARIF()
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, EndLine int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != 1 || len(run.Tool.Driver.Rules) != len(review.Rules()) {
		t.Fatalf("%s", data)
	}
	result := run.Results[0]
	place := result.Locations[0].PhysicalLocation
	if result.RuleID != "NumericFrom" || run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID ||
		place.ArtifactLocation.URI != "Dockerfile" || place.Region.StartLine != 4 {
		t.Errorf("%s", data)
	}
}
