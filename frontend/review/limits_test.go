package review_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
	"golang.org/x/tools/txtar"
)

// An answer is sent in one message of gRPC, which has at most 16 MiB: text and
// JSON are cut, and say so.
func TestMany(t *testing.T) {
	long := "echo $X " + strings.Repeat("long ", 10_000)
	text := "ARG X=1\nFROM alpine AS base\n" + strings.Repeat("RUN <<EOF\n"+"apk add x\n"+long+"\nEOF\n", 20) +
		strings.Repeat("RUN <<EOF\napk add $X\ntrue\nEOF\n", 2000) + "CMD x\n"
	r := build{dockerfile: text}.must(t)
	if len(r.Findings) != 1000 || r.Omitted < 1000 {
		t.Fatalf("%d findings, %d left out", len(r.Findings), r.Omitted)
	}
	if shown := r.Text(); !strings.Contains(shown, fmt.Sprintf("\n%d more findings are left out\n", r.Omitted)) || len(shown) > 8<<20 {
		t.Errorf("%d bytes of text", len(shown))
	}
	data, err := json.Marshal(r)
	if err != nil || len(data) > 8<<20 {
		t.Errorf("%d bytes of JSON, %v", len(data), err)
	}
}

// A chain of many stages is judged in time that grows with it, not faster.
func TestChain(t *testing.T) {
	var text strings.Builder
	text.WriteString("ARG X=1\nFROM alpine:3.19 AS s0\nRUN go test && echo $X\n")
	for i := 1; i < 800; i++ {
		fmt.Fprintf(&text, "FROM s%d AS s%d\nCOPY . /src\nRUN go build && chown -R a /src && echo $X\n", i-1, i)
	}
	build{dockerfile: text.String()}.must(t)
}

// The compiler's own cases, most of which are odd, are judged, too.
func TestOddFiles(t *testing.T) {
	var all []string
	cases, err := filepath.Glob("../../llb/testdata/*.txtar")
	if err != nil || len(cases) < 50 {
		t.Fatal(len(cases), err)
	}
	for _, path := range cases {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if f.Name == "Dockerfile" {
				all = append(all, string(f.Data))
			}
		}
	}
	files, err := llbtest.Corpus("../../llb/testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		all = append(all, string(f.Dockerfile))
	}
	judged := 0
	for _, text := range all {
		if r, err := (build{dockerfile: text, dir: os.DevNull}).review(t); err == nil {
			judged++
			_, _ = r.Text(), r.GitHub()
		}
	}
	if judged*2 < len(all) {
		t.Errorf("of %d files %d were judged", len(all), judged)
	}
}
