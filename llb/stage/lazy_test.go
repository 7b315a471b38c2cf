package stage

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// model is a build of several files, as it is written and as it is meant.
type model struct {
	files [][]modelStage // the first is the Dockerfile; stage i of file j is called s<i>
	// needsArg are files with an ARG that must have a value and has none.
	needsArg []bool
}

type modelStage struct {
	text []string
	// needs are the stages that it refers to, as file and stage.
	needs [][2]int
	// lost says that a reference leads nowhere.
	lost bool
}

func newModel(r *rand.Rand) *model {
	m := &model{}
	for file := range 2 + r.IntN(4) {
		m.files = append(m.files, make([]modelStage, 1+r.IntN(4)))
		m.needsArg = append(m.needsArg, file > 0 && r.IntN(8) == 0)
	}
	for file := range m.files {
		for i := range m.files[file] {
			m.fill(r, file, i)
		}
	}
	return m
}

// fill gives a stage what it refers to: earlier stages of its file, stages of
// later files, and what is not there.
func (m *model) fill(r *rand.Rand, file, i int) {
	s := &m.files[file][i]
	ref := func() string {
		switch n := r.IntN(12); {
		case n == 0:
			s.lost = true
			return []string{"./missing", "./f0x#s0", fmt.Sprintf("./f%d#nothing", len(m.files)-1)}[r.IntN(3)]
		case n < 6 && i > 0:
			to := r.IntN(i)
			s.needs = append(s.needs, [2]int{file, to})
			return fmt.Sprintf("s%d", to)
		case n < 10 && file+1 < len(m.files):
			other := file + 1 + r.IntN(len(m.files)-file-1)
			to := r.IntN(len(m.files[other]))
			s.needs = append(s.needs, [2]int{other, to})
			return fmt.Sprintf("./f%d#s%d", other, to)
		}
		return "alpine"
	}
	after := ""
	if gate := ref(); r.IntN(4) == 0 && gate != "alpine" {
		after = "--after=" + gate + " "
	} else if gate != "alpine" {
		s.text = append(s.text, "COPY --from="+gate+" / /")
	}
	s.text = slices.Insert(s.text, 0, fmt.Sprintf("FROM %s%s AS s%d", after, ref(), i))
	for range r.IntN(3) {
		if r.IntN(2) == 0 {
			s.text = append(s.text, "COPY --from="+ref()+" / /")
		} else {
			s.text = append(s.text, "RUN --mount=from="+ref()+",target=/x true")
		}
	}
}

func (m *model) text(file int) string {
	var b strings.Builder
	if m.needsArg[file] {
		b.WriteString("ARG NEEDED\nARG VALUE=${NEEDED:?no value}\n")
	}
	for _, s := range m.files[file] {
		b.WriteString(strings.Join(s.text, "\n") + "\n")
	}
	return b.String()
}

// reach is what a stage of the Dockerfile needs, and whether all of that is
// there.
func (m *model) reach(stage int) (read map[int]bool, ok bool) {
	read, ok = map[int]bool{}, true
	seen := map[[2]int]bool{}
	var visit func(at [2]int)
	visit = func(at [2]int) {
		if seen[at] {
			return
		}
		seen[at] = true
		read[at[0]] = true
		s := m.files[at[0]][at[1]]
		ok = ok && !s.lost && !m.needsArg[at[0]]
		for _, to := range s.needs {
			visit(to)
		}
	}
	visit([2]int{0, stage})
	return read, ok
}

// buildModel builds a stage of the Dockerfile and says which files were read.
func (m *model) build(opt Options) (b *Builder, read []int, err error) {
	files := dockerfile.NewFiles("f0", []byte(m.text(0)), func(_ dockerfile.Root, path string) ([]byte, error) {
		for file := range m.files {
			if path == fmt.Sprintf("f%d", file) {
				read = append(read, file)
				return []byte(m.text(file)), nil
			}
		}
		return nil, errors.New("not there")
	})
	f, err := dockerfile.Parse(files, 0, dockerfile.Options{})
	if err != nil {
		return nil, nil, err
	}
	amd64 := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	opt.Platforms = NewPlatforms(&amd64, nil)
	globals, err := EvaluateGlobals(f, opt.Platforms, opt.Target, nil)
	if err != nil {
		return nil, nil, err
	}
	b, err = Build(f, globals, opt)
	return b, read, err
}

// What the target does not need, it does not fail for, and no file is read for
// that. The graph that looks at everything fails no more often.
func TestOnlyWhatTheTargetNeeds(t *testing.T) {
	failed, built := 0, 0
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 11))
		m := newModel(r)
		target := r.IntN(len(m.files[0]))
		wanted, ok := m.reach(target)
		_, read, err := m.build(Options{Target: fmt.Sprintf("s%d", target)})
		if ok != (err == nil) {
			t.Fatalf("seed %d, target s%d: want success %v, got %v\n%s", seed, target, ok, err, m)
		}
		_, _, tolerant := m.build(Options{Target: fmt.Sprintf("s%d", target), Tolerant: true})
		if fmt.Sprint(tolerant) != fmt.Sprint(err) {
			t.Fatalf("seed %d, target s%d: %v, and when it looks at all: %v\n%s", seed, target, err, tolerant, m)
		}
		if !ok {
			failed++
			continue
		}
		built++
		delete(wanted, 0)
		slices.Sort(read)
		if got, want := fmt.Sprint(read), fmt.Sprint(sortedFiles(wanted)); got != want {
			t.Fatalf("seed %d, target s%d: files %s were read, want %s\n%s", seed, target, got, want, m)
		}
	}
	if failed < 100 || built < 100 {
		t.Errorf("%d builds fail, %d do not", failed, built)
	}
}

func sortedFiles(set map[int]bool) []int {
	list := []int{}
	for file := range set {
		list = append(list, file)
	}
	slices.Sort(list)
	return list
}

func (m *model) String() string {
	var b strings.Builder
	for file := range m.files {
		fmt.Fprintf(&b, "-- f%d --\n%s", file, m.text(file))
	}
	return b.String()
}

// A named context stands in for a stage of another file, which is then not
// read; for a stage of the same file, whatever that is made from.
func TestNamedContextsReplaceAll(t *testing.T) {
	for _, c := range []struct{ name, given, text string }{
		{"a stage of a file that is not there", "svc", "FROM ./missing#build AS svc\nFROM scratch\nCOPY --from=svc / /\n"},
		{"a stage with a context", "svc", "FROM --context=./svc ./missing AS svc\nFROM svc\n"},
		{"a stage with a gate that is not there", "svc", "FROM --after=nothing alpine AS svc\nFROM svc\n"},
		{"a stage that copies from what is not there", "svc", "FROM alpine AS svc\nCOPY --from=$NOTHING / /\nFROM svc\n"},
		{"a stage of scratch", "svc", "FROM scratch AS svc\nFROM svc\n"},
		{"a stage of a missing file, by its label", "missing#build", "FROM scratch\nCOPY --from=./missing#build / /\n"},
		{"the same as a base", "missing#build", "FROM ./missing#build\n"},
		{"the same of a mount", "missing#build", "FROM alpine\nRUN --mount=from=./missing#Build,target=/x true\n"},
		{"the same of a gate", "missing#test", "FROM --after=./missing#test alpine\n"},
		{"the same with a build context", "missing#build{./svc}", "FROM --context=./svc ./missing#build\n"},
		{"the same, the build context left out", "missing#build", "FROM --context=./svc ./missing#build\n"},
	} {
		m := &model{files: [][]modelStage{{{text: strings.Split(strings.TrimSuffix(c.text, "\n"), "\n")}}}, needsArg: []bool{false}}
		replaces := func(name string, _ *ocispecs.Platform) (bool, error) { return name == c.given, nil }
		if _, _, err := m.build(Options{}); err == nil && !strings.Contains(c.name, "scratch") {
			t.Errorf("%s: it is built without the context", c.name)
		}
		for _, opt := range []Options{{}, {Everything: true}, {Tolerant: true}} {
			opt.Replaces = replaces
			b, _, err := m.build(opt)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			replaced := slices.ContainsFunc(b.Nodes, func(n Node) bool { return n.Replaced && n.Replacement == c.given })
			if !replaced {
				t.Errorf("%s: nothing is replaced", c.name)
			}
		}
	}
}

// A named context whose name leaves the build context out does not stand for
// stages with several, unless only one of them is needed.
func TestNamedContextsAreNotGuessed(t *testing.T) {
	const text = `FROM --context=./a ./f1#b AS a
FROM --context=./c ./f1#b AS c
FROM a AS one
FROM scratch AS both
COPY --from=a / /a
COPY --from=c / /c`
	for _, c := range []struct{ given, target, want string }{
		{"f1#b", "one", ""},
		{"f1#b{./a}", "both", ""},
		{"f1#b", "both", "--build-context f1#b means several stages: f1#b{./a}, f1#b{./c}; write one of these"},
	} {
		m := &model{files: [][]modelStage{{{text: strings.Split(text, "\n")}}, {{text: []string{"FROM alpine AS b"}}}}, needsArg: []bool{false, false}}
		_, _, err := m.build(Options{Target: c.target, Replaces: func(n string, _ *ocispecs.Platform) (bool, error) { return n == c.given, nil }})
		if got := fmt.Sprint(err); got != cmp.Or(c.want, "<nil>") {
			t.Errorf("%s for --target %s: %s, want %s", c.given, c.target, got, c.want)
		}
	}
}
