package sandbox

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestReadStages(t *testing.T) {
	dir := t.TempDir()
	err := writeFiles(dir, map[string]string{"Dockerfile": `# syntax=stagecraft/stagecraft:1
ARG BASE=debian
FROM golang:1.22-alpine AS Builder
RUN --mount=type=bind,from=alpine:3.19,target=/x true
FROM $BASE AS other
FROM scratch
COPY --from=builder /a /a
COPY --from=busybox:latest /b /b
COPY --from=0 /c /c
UNSET ENV PATH
`})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadStages(filepath.Join(dir, "Dockerfile"))
	want := Stages{
		Names:      []string{"builder", "other", ""},
		Images:     []string{"golang:1.22-alpine", "alpine:3.19", "busybox:latest"},
		CopiedFrom: []string{"builder"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}
