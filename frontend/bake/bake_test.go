package bake_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/bake"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

func TestGolden(t *testing.T) {
	a, err := txtar.ParseFile("testdata/bake.txtar")
	if err != nil {
		t.Fatal(err)
	}
	r := llbtest.Request{Dockerfile: a.Files[0].Data, Beside: map[string]string{"svc/Dockerfile": string(a.Files[1].Data)}, Opts: map[string]string{"platform": "linux/amd64"}}
	req, err := r.Compiler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req.Tolerant = true
	resolved, err := compiler.Graph(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bake.New(bake.Input{
		Graph: resolved.Graph, Dockerfile: "dir/Dockerfile", Platforms: []string{"linux/amd64", "linux/arm64"}, Syntax: "example.com/s:1",
		BuildArgs: map[string]string{"GIVEN": "a ${b} %{c}"},
		Contexts:  map[string]string{"site.data": "local:site.data", "alpine": "docker-image://alpine:3.20"},
	}).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		a.Files[2].Data = got
		if err := os.WriteFile("testdata/bake.txtar", txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, a.Files[2].Data) {
		t.Errorf("got\n%s", got)
	}
}
