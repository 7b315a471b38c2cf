package lock_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/sourcepolicy"
	spb "github.com/moby/buildkit/sourcepolicy/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stagecraft/stagecraft/frontend/lock"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

var (
	sumA = digest.FromString("a").String()
	sumB = digest.FromString("b").String()
)

func document(t *testing.T, sources ...lock.Source) *lock.Document {
	t.Helper()
	d, err := lock.New(sources)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func example(t *testing.T) *lock.Document {
	return document(t,
		lock.Source{Ref: "docker.io/library/alpine:3.20", Digest: sumA, Platforms: []string{"linux/arm64"}, UsedBy: []string{"Dockerfile:12"}},
		lock.Source{Ref: "docker.io/library/alpine:3.20", Digest: sumA, Platforms: []string{"linux/amd64"}, UsedBy: []string{"Dockerfile:3", "svc/Dockerfile:1"}},
		lock.Source{Ref: "docker.io/library/busybox@" + sumB, Digest: sumB, UsedBy: []string{"Dockerfile:4"}},
		lock.Source{Ref: "https://example.com/f?a=1&b=<2>", Digest: sumB, UsedBy: []string{"Dockerfile:5"}},
		lock.Source{Ref: "git://github.com/x/y.git#main:sub", Digest: strings.Repeat("c", 40), UsedBy: []string{"Dockerfile:6"}},
	)
}

// The file is what version control shows: an entry a line, in one order.
func TestGolden(t *testing.T) {
	d := example(t)
	got, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"testdata/Dockerfile.lock": got, "testdata/Dockerfile.rego": []byte(lock.Rego("Dockerfile.lock"))}
	for name, got := range files {
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(name); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s (%v):\n%s", name, err, got)
		}
	}
	again, err := lock.Read(got)
	if err != nil {
		t.Fatal(err)
	}
	if dt, err := again.Bytes(); err != nil || !bytes.Equal(dt, got) {
		t.Errorf("read and written again it is (%v)\n%s", err, dt)
	}
}

// BuildKit's own engine pins every source by the file, once, and leaves what
// is pinned.
func TestPolicy(t *testing.T) {
	dt, err := example(t).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var policy spb.Policy
	if err := json.Unmarshal(dt, &policy); err != nil {
		t.Fatal(err)
	}
	engine := sourcepolicy.NewEngine([]*spb.Policy{&policy})
	for id, want := range map[string]*pb.SourceOp{
		"docker-image://docker.io/library/alpine:3.20":         {Identifier: "docker-image://docker.io/library/alpine:3.20@" + sumA},
		"docker-image://docker.io/library/alpine:3.20@" + sumB: {Identifier: "docker-image://docker.io/library/alpine:3.20@" + sumB},
		"docker-image://docker.io/library/busybox:latest":      {Identifier: "docker-image://docker.io/library/busybox:latest"},
		"https://example.com/f?a=1&b=<2>":                      {Identifier: "https://example.com/f?a=1&b=<2>", Attrs: map[string]string{pb.AttrHTTPChecksum: sumB}},
		"git://github.com/x/y.git#main:sub":                    {Identifier: "git://github.com/x/y.git#main:sub", Attrs: map[string]string{pb.AttrGitChecksum: strings.Repeat("c", 40)}},
	} {
		op := pb.SourceOp{Identifier: id}
		if _, err := engine.Evaluate(t.Context(), &op); err != nil {
			t.Fatal(err)
		}
		if op.Identifier != want.Identifier || len(op.Attrs) != len(want.Attrs) {
			t.Errorf("%s becomes %v", id, &op)
		}
		for k, v := range want.Attrs {
			if op.Attrs[k] != v {
				t.Errorf("%s has %s=%s", id, k, op.Attrs[k])
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"nonsense":                 "not JSON",
		`{"version":2}`:            "version 2",
		`{"version":1,"rules":[]}`: "another source policy",
		`{"version":1,"stagecraft":{"sources":[{"ref":"x"}]}}`: "no digest",
	} {
		if _, err := lock.Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	_, err := lock.New([]lock.Source{{Ref: "x", Digest: sumA}, {Ref: "x", Digest: sumB}})
	if err == nil || !strings.Contains(err.Error(), "two digests at once") {
		t.Errorf("a source that moves while it is locked: %v", err)
	}
}

func TestCompare(t *testing.T) {
	now := document(t,
		lock.Source{Ref: "docker.io/library/alpine:3.20", Digest: sumB, UsedBy: []string{"Dockerfile:3"}},
		lock.Source{Ref: "docker.io/library/debian:12", Digest: sumB, UsedBy: []string{"Dockerfile:4"}},
	)
	r := lock.Compare(example(t), now)
	if r.Same() || len(r.Moved) != 1 || len(r.New) != 1 || len(r.Gone) != 3 {
		t.Errorf("%+v", r)
	}
	text := r.Text("Dockerfile.lock")
	for _, line := range []string{"alpine:3.20 ", sumA[:19] + " -> " + sumB[:19], "debian:12 ", "not in Dockerfile.lock", "no longer needed"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in\n%s", line, text)
		}
	}
	if r := lock.Compare(example(t), example(t)); !r.Same() || r.Text("x") != "everything is as in x\n" {
		t.Errorf("%+v", r)
	}
	validate(t, r)
}

func validate(t *testing.T, r *lock.Report) {
	t.Helper()
	dt, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	validateFile(t, "lock.check.json", dt)
	file, err := example(t).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	validateFile(t, "lock.json", file)
}

func validateFile(t *testing.T, name string, dt []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schemas/" + name)
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
	if schema.Validate(map[string]any{"version": 1}) == nil {
		t.Errorf("%s accepts anything", name)
	}
}

// A build that keeps to its own lock is the same build; one that needs more is
// refused where it stands, and what is pinned is what the lock has.
func TestEnforce(t *testing.T) {
	const text = `FROM alpine:3 AS base
FROM busybox@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS pinned
FROM scratch
COPY --from=base / /
COPY --from=example.com/tool / /
COPY --from=pinned / /
ADD https://example.com/f /
ADD https://github.com/x/y.git#main /y
`
	r := llbtest.Request{Dockerfile: []byte(text), Opts: map[string]string{"platform": "linux/amd64"}}
	all := fetches(t, r, nil)
	var list []lock.Source
	for _, f := range all {
		sum := f.Digest
		if sum == "" {
			sum = sumA
			if strings.HasPrefix(f.Ref, "git:") {
				sum = strings.Repeat("a", 40)
			}
		}
		list = append(list, f.Source(sum))
		if len(f.UsedBy) != 1 {
			t.Errorf("%s is used by %q", f.Ref, f.UsedBy)
		}
	}
	if len(list) != 5 {
		t.Fatalf("%d sources: %+v", len(list), list)
	}
	whole := &lock.Lock{Document: document(t, list...), File: "Dockerfile.lock"}
	if err := whole.Check(fetches(t, r, whole)); err != nil {
		t.Error(err)
	}
	if err := whole.Check(all); err == nil || !strings.Contains(err.Error(), "named context") {
		t.Errorf("a URL without the checksum: %v", err)
	}
	for i, s := range list {
		less := &lock.Lock{Document: document(t, slices.Delete(slices.Clone(list), i, i+1)...), File: "x.lock"}
		err := less.Check(fetches(t, r, whole))
		if strings.Contains(s.Ref, "@") {
			continue // the Dockerfile pins it
		}
		if err == nil || !strings.Contains(err.Error(), "is not in x.lock; write it again: docker buildx build --call=lock . > x.lock") {
			t.Errorf("without %s: %v", s.Ref, err)
		}
	}
	for ref, want := range map[string]string{"alpine:3": "docker.io/library/alpine:3@" + list[0].Digest, "busybox@" + sumA: "busybox@" + sumA} {
		if got, err := whole.Pin(ref); err != nil || got != want && !strings.HasPrefix(got, "docker.io/library/alpine:3@sha256:") {
			t.Errorf("%s is %s (%v)", ref, got, err)
		}
	}
}

func fetches(t *testing.T, r llbtest.Request, l *lock.Lock) []lock.Fetch {
	t.Helper()
	req, err := r.Compiler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if l != nil {
		req.Checksum = func(r *resolve.Remote) (string, error) { return l.Checksum(r) }
	}
	c, err := compiler.Compile(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	def, err := c.State.Marshal(t.Context(), llb.LocalUniqueID("x"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := lock.Fetches(def, func(*pb.SourceOp) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	return list
}
