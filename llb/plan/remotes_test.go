package plan_test

import (
	"slices"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

func TestRemotes(t *testing.T) {
	const dockerfile = `FROM alpine AS a
ARG V=1.2
ADD https://example.com/x-$V.tgz https://github.com/o/r.git#v$V:dir local /a/
FROM a
ADD --checksum=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 https://example.com/y /
`
	c, err := llbtest.Compile(t.Context(), llbtest.Request{Dockerfile: []byte(dockerfile)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range c.Plan.Remotes() {
		if step := c.Plan.Step(u.Step); step == nil || step.Loc.Line() != u.Loc.Line() {
			t.Errorf("%s is in %v, which is not on line %d", u.URL, u.Step, u.Loc.Line())
		}
		ref := ""
		if u.Git != nil {
			ref = "#" + u.Git.Ref + ":" + u.Git.SubDir
		}
		got = append(got, u.URL+ref)
	}
	want := []string{"https://example.com/x-1.2.tgz", "https://github.com/o/r.git#v1.2:dir", "https://example.com/y"}
	if !slices.Equal(got, want) {
		t.Errorf("remotes are %q, want %q", got, want)
	}
}
