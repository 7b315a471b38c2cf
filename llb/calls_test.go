package llb_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

type call func(context.Context, llbtest.Request) llbtest.Answer

// calls are the subrequests that the compiler answers.
var calls = []struct {
	name           string
	upstream, ours call
}{
	{"outline", llbtest.UpstreamOutline, llbtest.OurOutline},
	{"targets", llbtest.UpstreamTargets, llbtest.OurTargets},
	{"lint", llbtest.UpstreamLint, llbtest.OurLint},
}

// TestParityOutline, TestParityTargets and TestParityLint ask the questions of
// the subrequests about each file of the corpus.

func TestParityOutline(t *testing.T) {
	compareCalls(t, "outline", llbtest.UpstreamOutline, llbtest.OurOutline)
}

func TestParityTargets(t *testing.T) {
	compareCalls(t, "targets", llbtest.UpstreamTargets, llbtest.OurTargets)
}

func TestParityLint(t *testing.T) {
	compareCalls(t, "lint", llbtest.UpstreamLint, llbtest.OurLint)
}

func compareCalls(t *testing.T, name string, upstream, ours call) {
	var asked, differ atomic.Int64
	t.Run("corpus", func(t *testing.T) {
		for _, f := range corpus(t) {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				for _, v := range turn(f, callVariants(f)) {
					asked.Add(1)
					if diff := compareAnswers(t.Context(), v.Request, upstream, ours); diff != "" {
						differ.Add(1)
						t.Fatalf("%s\n%s", v.name, diff)
					}
				}
			})
		}
	})
	if llbtest.Oracle { // else nothing was compared
		fmt.Printf("parity: %s: %d requests, %d differ\n", name, asked.Load(), differ.Load())
	}
}

// callVariants are the default target and the others, for one platform.
func callVariants(f llbtest.File) []variant {
	var few []variant
	for _, v := range variants(f) {
		if strings.Contains(v.name, "platform=linux/amd64 no-cache=false") || strings.Contains(v.name, "checks") {
			few = append(few, v)
		}
	}
	return few
}

// compareAnswers asks upstream again where its answer may be one of several:
// it walks its stages in the order of a map.
func compareAnswers(ctx context.Context, r llbtest.Request, upstream, ours call) string {
	answer := ours(ctx, r)
	diff := ""
	for range 60 {
		up := upstream(ctx, r)
		diff = llbtest.DiffAnswers(r, up, answer)
		if diff == "" || llbtest.Addition(r, up.Err) != "" {
			return ""
		}
	}
	for _, r := range llbtest.Orders(ctx, r) {
		if up := upstream(ctx, r); llbtest.DiffAnswers(r, up, answer) == "" || otherFile(up.Err, answer.Err) {
			return ""
		}
	}
	return diff
}

// TestDeterminism compiles each file 25 times: the bytes, the config, the
// warnings and the plan stay the same. With -short, or for the race detector,
// fewer do.
func TestDeterminism(t *testing.T) {
	times := 25
	if testing.Short() || !llbtest.Oracle {
		times = 5
	}
	for _, f := range corpus(t) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			r := f.With(map[string]string{"platform": both})
			first := llbtest.Ours(t.Context(), r)
			plan := llbtest.Show(t.Context(), r)
			for range times - 1 {
				again := llbtest.Ours(t.Context(), r)
				if diff := llbtest.Diff(r, first, again); diff != "" {
					t.Fatal(diff)
				}
				if fmt.Sprint(first.Err) != fmt.Sprint(again.Err) {
					t.Fatalf("errors differ:\n  %v\n  %v", first.Err, again.Err)
				}
			}
			for range 4 {
				if again := llbtest.Show(t.Context(), r); fmt.Sprint(again) != fmt.Sprint(plan) {
					t.Fatal("plans differ")
				}
			}
		})
	}
}

// A reference to a stage uses its variables, declared in the stage or not.
func TestOutlineOfReferences(t *testing.T) {
	a := llbtest.OurOutline(t.Context(), llbtest.Request{
		Dockerfile: []byte("ARG ONE=1\nARG TWO=2\nARG UNUSED=3\nFROM alpine AS s1\nFROM alpine AS s2\nFROM alpine\n" +
			"COPY --from=s${ONE} / /\nRUN --mount=from=s$TWO,target=/m --mount=target=/c true\n"),
		Opts: map[string]string{"platform": "linux/amd64"},
	})
	got := strings.Join(a.Lines, "\n")
	if want := "target : \narg ONE=1:  at 1-1\narg TWO=2:  at 2-2"; got != want || a.Err != nil {
		t.Errorf("got %s (%v), want %s", got, a.Err, want)
	}
}
