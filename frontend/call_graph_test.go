package frontend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/solver/errdefs"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/frontend"
	"github.com/stagecraft/stagecraft/frontend/diagram"
	"github.com/stagecraft/stagecraft/frontend/view"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// gateway is a client that asks for a subrequest about a Dockerfile.
func gateway(name, dockerfile string, opts map[string]string) *llbtest.Gateway {
	g := &llbtest.Gateway{
		Opts:   map[string]string{"requestid": "frontend." + name, "frontend.caps": "moby.buildkit.frontend.subrequests"},
		Files:  map[string]map[string]string{"dockerfile": {"Dockerfile": dockerfile}},
		Worker: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
	}
	for key, value := range opts {
		g.Opts[key] = value
	}
	return g
}

// ask returns the metadata of the answer.
func ask(ctx context.Context, name, dockerfile string, opts map[string]string) (map[string][]byte, error) {
	res, err := frontend.Build(ctx, gateway(name, dockerfile, opts))
	if err != nil {
		return nil, err
	}
	return res.Metadata, nil
}

func graph(t *testing.T, dockerfile string, opts map[string]string) *diagram.Graph {
	t.Helper()
	meta, err := ask(t.Context(), "graph", dockerfile, opts)
	if err != nil {
		t.Fatal(err)
	}
	var g diagram.Graph
	decoder := json.NewDecoder(bytes.NewReader(meta["result.json"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&g); err != nil {
		t.Fatal(err)
	}
	return &g
}

const twoStages = `FROM golang AS build
RUN go build -o /app
FROM build AS test
RUN go test
FROM scratch
COPY --from=build /app /app
`

func TestGraphAnswers(t *testing.T) {
	for name, want := range map[string]string{
		"graph":         "┃ stage-2",
		"graph.mermaid": "flowchart TD\n",
		"graph.dot":     "digraph stages {\n",
		"graph.svg":     "<svg xmlns=",
	} {
		meta, err := ask(t.Context(), name, twoStages, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text := string(meta["result.txt"]); !strings.Contains(text, want) || !strings.HasSuffix(text, "\n") {
			t.Errorf("%s: the text lacks %q or a newline at its end:\n%s", name, want, text)
		}
		if !json.Valid(meta["result.json"]) {
			t.Errorf("%s: no JSON: %s", name, meta["result.json"])
		}
		if string(meta["version"]) != "1.0.0" {
			t.Errorf("%s: version %q", name, meta["version"])
		}
		if _, judged := meta["result.statuscode"]; judged {
			t.Errorf("%s: it sets an exit status", name)
		}
	}
}

func TestGraphTarget(t *testing.T) {
	g := graph(t, twoStages, map[string]string{"target": "Test"})
	if n := g.Nodes[1]; g.Target != n.ID || n.Name != "test" {
		t.Errorf("the target is %s", g.Target)
	}
	if g.Nodes[2].Needed {
		t.Error("the last stage is needed for another target")
	}
}

func TestGraphPlatform(t *testing.T) {
	g := graph(t, "ARG TARGETARCH\nFROM alpine AS base-arm64\nFROM busybox AS base-amd64\nFROM base-$TARGETARCH\n", map[string]string{"platform": "linux/arm64,linux/amd64"})
	if g.Platform != "linux/arm64" || !g.Nodes[0].Needed || g.Nodes[1].Needed {
		t.Errorf("drawn for %s: %+v", g.Platform, g.Nodes)
	}
}

// Images out of reach are in the graph with the reason. Those that nobody
// needs are not asked for.
func TestGraphUnresolved(t *testing.T) {
	g := graph(t, `FROM missing/one AS a
FROM --platform=linux/arm64 missing/two AS b
FROM broken AS c
FROM missing/spare AS spare
FROM scratch
COPY --from=a / /
COPY --from=b / /
COPY --from=c / /
COPY --from=missing/three / /
COPY --from=alpine / /
`, nil)
	reasons := map[string]string{
		"missing/one:latest":   "not found",
		"missing/two:latest":   "not found",
		"missing/three:latest": "not found",
		"broken:latest":        "JSON",
		"missing/spare:latest": "",
		"alpine:latest":        "",
	}
	for _, n := range g.Nodes {
		if n.Kind != view.KindImage {
			continue
		}
		want, known := reasons[n.Name]
		if !known || (want == "") != (n.Unresolved == "") || !strings.Contains(n.Unresolved, want) {
			t.Errorf("%s is unresolved because of %q", n.Name, n.Unresolved)
		}
		delete(reasons, n.Name)
	}
	if len(reasons) > 0 {
		t.Errorf("not in the graph: %q", reasons)
	}
}

// Named contexts are sources, too; a stage that one replaces needs nothing
// of the file any more.
func TestGraphNamedContexts(t *testing.T) {
	const text = `FROM golang AS tools
FROM tools AS build
COPY --from=alpine:3 /a /a
FROM alpine:3
COPY --from=build /app /app
`
	opts := map[string]string{
		"context:build":    "docker-image://docker.io/library/missing:1",
		"context:alpine:3": "docker-image://docker.io/library/busybox:1",
	}
	g := graph(t, text, opts)
	for _, n := range g.Nodes {
		switch n.Name {
		case "build":
			if n.Kind != view.KindContext || !n.Needed || !strings.Contains(n.Unresolved, "not found") {
				t.Errorf("the replaced stage is %+v", n)
			}
		case "alpine:3":
			if n.Kind != view.KindContext || n.Unresolved != "" {
				t.Errorf("the replaced image is %+v", n)
			}
		case "tools", "golang:latest":
			if n.Needed {
				t.Errorf("%s is needed", n.Name)
			}
		}
	}
	for _, e := range g.Edges {
		if e.Line == 3 {
			t.Errorf("an edge of the replaced stage: %+v", e)
		}
	}
}

// Errors of the Dockerfile stay errors, with the line.
func TestGraphErrors(t *testing.T) {
	for _, test := range []struct {
		name, text string
		opts       map[string]string
		message    string
		line       int
	}{
		{"syntax", "FROM alpine\nRUNN make\n", nil, "RUNN", 2},
		{"reference", "FROM UPPER CASE\n", nil, "FROM", 1},
		{"circle", "FROM alpine AS a\nCOPY --from=b / /\nFROM alpine AS b\nCOPY --from=a / /\n", nil, "circular", 2},
		{"target", twoStages, map[string]string{"target": "tests"}, `did you mean test`, 0},
		{"empty", "", nil, "empty", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ask(t.Context(), "graph", test.text, test.opts)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.message) {
				t.Errorf("%v does not mention %q", err, test.message)
			}
			var located *parser.LocationError
			if test.line == 0 {
				return
			}
			if !errors.As(err, &located) || located.Locations[0][0].Start.Line != test.line {
				t.Errorf("%v is not in line %d", err, test.line)
			}
			if len(errdefs.Sources(err)) == 0 {
				t.Errorf("%v has no source for a code frame", err)
			}
		})
	}
}

// silent is a daemon whose registry does not answer.
type silent struct{ *llbtest.Gateway }

func (silent) ResolveImageConfig(ctx context.Context, _ string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	<-ctx.Done()
	return "", "", nil, ctx.Err()
}

// A registry that does not answer is waited for, but not long. The time is
// that of the test's bubble.
func TestGraphPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		res, err := frontend.Build(t.Context(), silent{gateway("graph", twoStages, nil)})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
		if text := string(res.Metadata["result.txt"]); !strings.Contains(text, "golang:latest: no answer within 30s") {
			t.Errorf("the text does not say so:\n%s", text)
		}
	})
}

// Nobody waits any more: that is no image out of reach.
func TestGraphCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := frontend.Build(ctx, silent{gateway("graph", twoStages, nil)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// Ours stand behind docker/dockerfile's in the list of subrequests.
func TestGraphIsDescribed(t *testing.T) {
	meta, err := ask(t.Context(), "subrequests.describe", twoStages, nil)
	if err != nil {
		t.Fatal(err)
	}
	var list []subrequests.Request
	if err := json.Unmarshal(meta["result.json"], &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range list {
		names = append(names, r.Name)
		if strings.HasPrefix(r.Name, "frontend.graph") && (r.Version == "" || r.Type != subrequests.TypeRPC || r.Description == "" || len(r.Opts) != 1 || r.Opts[0].Name != "target" || len(r.Metadata) != 2) {
			t.Errorf("incomplete: %+v", r)
		}
	}
	upstream := []string{"frontend.outline", "frontend.targets", "frontend.subrequests.describe"}
	if !slices.Equal(names[:3], upstream) {
		t.Errorf("the list begins with %q, want %q", names[:3], upstream)
	}
	for _, name := range []string{"frontend.graph", "frontend.graph.mermaid", "frontend.graph.dot", "frontend.graph.svg"} {
		if !slices.Contains(names[3:], name) {
			t.Errorf("%s is not behind them: %q", name, names)
		}
	}
}
