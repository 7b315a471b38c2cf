package stage

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// settingsModel is a Dockerfile whose stages have settings, and a file next to
// it.
func settingsModel(r *rand.Rand) *model {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	arg := func() string {
		return pick("", "--arg=A=1 ", "--arg=A=2 ", "--arg=A=$A ", "--arg=B='two words' ", "--arg=A=1 --arg=B="+strings.Repeat("x", 30+r.IntN(30))+" ")
	}
	platform := func() string {
		return pick("", "", "--target-platform=linux/arm64 ", "--target-platform=$BUILDPLATFORM ", "--target-platform=linux/arm/v7 ")
	}
	root := []string{"ARG A=1"}
	file := []string{"ARG A=0"}
	for i := range 2 + r.IntN(3) {
		base := "alpine"
		if i > 0 && r.IntN(2) == 0 {
			base = fmt.Sprintf("b%d", r.IntN(i))
			file = append(file, fmt.Sprintf("FROM %s%s%s AS b%d", arg(), platform(), base, i))
			continue
		}
		file = append(file, fmt.Sprintf("FROM %s AS b%d", base, i))
	}
	stages := 0
	for range 3 + r.IntN(6) {
		set, base := arg()+platform(), "./f1#b0"
		if stages > 0 && r.IntN(2) == 0 {
			base = fmt.Sprintf("s%d", r.IntN(stages))
		} else {
			base = fmt.Sprintf("./f1#b%d", r.IntN(2))
			set += pick("", "", "--context=./c ", "--context=./d ", "--context=named ")
		}
		root = append(root, fmt.Sprintf("FROM %s%s AS s%d", set, base, stages))
		for to := range stages {
			if r.IntN(3) == 0 {
				root = append(root, fmt.Sprintf("COPY --from=s%d %s/ /", to, platform()))
			}
		}
		stages++
	}
	return &model{files: [][]modelStage{{{text: root}}, {{text: file}}}, needsArg: []bool{false, false}}
}

// There are as many names as things: each stage has a label that no other has,
// and that --target knows it by. A shorter name means the only stage of it, or
// is refused with all that it could mean.
func TestAsManyNamesAsThings(t *testing.T) {
	refused, short := 0, 0
	for seed := range uint64(50) {
		m := settingsModel(rand.New(rand.NewPCG(seed, 7)))
		b, _, err := m.build(Options{Tolerant: true})
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, m)
		}
		asked := b.Asked()
		labels := map[string]ID{}
		keys := map[string]ID{}
		for id := range ID(len(b.Nodes)) {
			n := b.Node(id)
			if n.Kind != Stage || !asked[id] {
				continue
			}
			key := fmt.Sprintf("%s %d", b.UnitOf(n).Key, n.Index)
			if other, ok := keys[key]; ok {
				t.Fatalf("seed %d: %d and %d are one stage\n%s", seed, id, other, m)
			}
			keys[key] = id
			if other, ok := labels[n.Label]; ok {
				t.Fatalf("seed %d: %d and %d are called %s\n%s", seed, id, other, n.Label, m)
			}
			labels[n.Label] = id
		}
		for label, id := range labels {
			if got, ok, err := b.ByName(label); err != nil || !ok || got != id {
				t.Fatalf("seed %d: %s is %d (%v, %v), want %d\n%s", seed, label, got, ok, err, id, m)
			}
			target, _, err := m.build(Options{Target: label})
			if err != nil || target.Node(target.Target).Label != label && b.namesOf(id).context == "" {
				t.Fatalf("seed %d: --target %s builds %s (%v)\n%s", seed, label, target.Node(target.Target).Label, err, m)
			}
			for _, name := range b.Outside(id) {
				if _, exact := labels[name]; exact || !isLabel(name) {
					continue
				}
				got, ok, err := b.ByName(name)
				switch {
				case err != nil:
					refused++
					if !strings.Contains(err.Error(), label) {
						t.Fatalf("seed %d: %s does not tell of %s: %v\n%s", seed, name, label, err, m)
					}
				case !ok || got != id:
					t.Fatalf("seed %d: %s is %d (%v), want %s\n%s", seed, name, got, ok, label, m)
				default:
					short++
				}
			}
		}
	}
	if refused < 10 || short < 10 {
		t.Errorf("%d short names were refused, %d mean one stage", refused, short)
	}
}

// flagCase is a FROM with a flag and what becomes of it.
type flagCase struct{ flag, base, want string }

// Each flag of FROM has, with each kind of base, an effect, or is refused; or,
// where docker/dockerfile is silent, has none and the graph shows none.
func TestFlagsAndBases(t *testing.T) {
	const image, scratch, own, file, given, replaced = "alpine", "scratch", "own", "./f1#b0", "given", "replaced"
	var cases []flagCase
	add := func(flag string, wants map[string]string) {
		for _, base := range []string{image, scratch, own, file, given, replaced} {
			cases = append(cases, flagCase{flag, base, wants[base]})
		}
	}
	const arm = "platform linux/arm64"
	add("", map[string]string{image: "", scratch: "", own: "", file: "", given: "", replaced: "context"})
	add("--platform=linux/arm64", map[string]string{
		image: arm, given: arm, file: arm + ", base f1[linux/arm64]", replaced: arm + ", context", own: "", scratch: "",
	})
	add("--target-platform=linux/arm64", map[string]string{
		image: arm, given: arm, file: arm + ", base f1[linux/arm64]", own: arm + ", base f0[linux/arm64]",
		scratch: "--target-platform has no effect on scratch", replaced: "context",
	})
	add("--context=./c", map[string]string{
		image: "--context only applies", scratch: "--context only applies", own: "--context only applies",
		given: "--context only applies", file: "base f1{./c f1.dockerignore}", replaced: "context",
	})
	add("--arg=A=1", map[string]string{
		image: "--arg only applies", scratch: "--arg only applies", given: "--arg only applies",
		own: "base f0(A=1)", file: "base f1(A=1)", replaced: "context",
	})
	add("--after=own", map[string]string{
		image: "gate", scratch: "gate", own: "gate", file: "gate", given: "gate", replaced: "context",
	})
	add("--no-cache", map[string]string{
		image: "no cache", scratch: "no cache", own: "no cache", file: "no cache", given: "no cache", replaced: "no cache, context",
	})
	for _, c := range cases {
		base := c.base
		if base == replaced {
			base = image
		}
		name := "x"
		if c.base == replaced {
			name = replaced
		}
		text := fmt.Sprintf("FROM alpine AS own\nFROM %s %s AS %s\n", c.flag, base, name)
		m := &model{
			files:    [][]modelStage{{{text: strings.Split(strings.TrimSpace(text), "\n")}}, {{text: []string{"FROM alpine AS b0"}}}},
			needsArg: []bool{false, false},
		}
		b, _, err := m.build(Options{Replaces: func(n string, _ *ocispecs.Platform) (bool, error) { return n == replaced, nil }})
		if got := b.effects(err); c.want == "" && got != "" || !strings.Contains(got, c.want) || err == nil && got != c.want {
			t.Errorf("FROM %s %s (%s): %q, want %q", c.flag, base, c.base, got, c.want)
		}
	}
}

// effects says what is special about the target.
func (b *Builder) effects(err error) string {
	if err != nil {
		return err.Error()
	}
	var list []string
	n := b.Node(b.Target)
	if n.NoCache {
		list = append(list, "no cache")
	}
	if p := b.PlatformOf(n); p != nil {
		list = append(list, "platform "+Settings{Platform: p}.platform())
	}
	if n.Base != None {
		if key := b.UnitOf(b.Node(n.Base)).Key; strings.ContainsAny(key.String(), "({[") {
			list = append(list, "base "+key.String())
		}
	}
	if slices.ContainsFunc(b.Out(b.Target), func(e Edge) bool { return e.Kind == After }) {
		list = append(list, "gate")
	}
	if n.Replaced {
		list = append(list, "context")
	}
	return strings.Join(list, ", ")
}

// One stage with two sets of arguments and two platforms is four nodes; a
// matrix of settings has one node more for each of them, and the same settings
// are one stage.
func TestSettingsAreNodes(t *testing.T) {
	matrix := func(n int, again string) (*Builder, int) {
		text := []string{"FROM alpine AS base", "FROM base AS build"}
		for i := range n {
			for _, p := range []string{"linux/amd64", "linux/arm64"} {
				text = append(text, fmt.Sprintf("FROM --arg=V=%d --target-platform=%s build AS v%d-%s", i, p, i, p[6:]))
			}
		}
		text = append(text, "FROM scratch")
		for i := range n {
			text = append(text, fmt.Sprintf("COPY --from=v%d-amd64 / /", i), fmt.Sprintf("COPY --from=v%d-arm64 / /", i))
		}
		text = append(text, again)
		m := &model{files: [][]modelStage{{{text: text}}}, needsArg: []bool{false}}
		b, _, err := m.build(Options{})
		if err != nil {
			t.Fatal(err)
		}
		return b, len(b.Reach(b.Target))
	}
	_, two := matrix(2, "")
	_, three := matrix(3, "")
	large, fifty := matrix(50, "")
	// No stage is in the graph with settings that nothing refers to: the whole
	// grows with the number of settings, not with its square.
	if want := 2 + 100 + 1 + 100*2; len(large.Nodes) != want {
		t.Errorf("the graph for 50 values has %d nodes, want %d", len(large.Nodes), want)
	}
	// For each of four: the stage that has a name for it, and two with settings.
	if two != 1+4*3 || three != 1+6*3 || fifty != 1+100*3 {
		t.Errorf("2, 3 and 50 values need %d, %d and %d nodes", two, three, fifty)
	}
	b, same := matrix(2, "COPY --from=build --target-platform=linux/arm64 / /")
	if _, once := matrix(2, "COPY --from=build --target-platform=linux/arm64 / /\nCOPY --from=1 --target-platform=linux/arm64/v8 / /"); once != same {
		t.Errorf("the same settings are %d nodes, and another time %d", same, once)
	}
	var labels []string
	for id := range b.Reach(b.Target) {
		if l := b.Node(id).Label; strings.HasPrefix(l, "build") {
			labels = append(labels, l)
		}
	}
	slices.Sort(labels)
	want := "build(V=0)[linux/amd64] build(V=0)[linux/arm64] build(V=1)[linux/amd64] build(V=1)[linux/arm64] build[linux/arm64]"
	if got := strings.Join(labels, " "); got != want {
		t.Errorf("the stages are called\n%s, want\n%s", got, want)
	}
}
