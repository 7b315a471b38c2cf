package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// everyTarget builds each stage of the example by its name and looks at what is in it, and at what ran
// for it, on top of what the builds before have left in the cache.
func everyTarget(t *testing.T, r exampleRun) {
	targets := []struct {
		name    string
		stages  []string // that take part
		files   []string
		foreign []string
	}{
		{"base", []string{"base"}, []string{`^app/package-lock\.json$`}, []string{`^app/node_modules/`, `^app/src/`}},
		{"dependencies", []string{"base", "dependencies"}, []string{`^app/node_modules/esbuild/`, `^app/node_modules/mustache/`}, []string{`^app/src/`}},
		{"production-dependencies", []string{"base", "production-dependencies"}, []string{`^app/node_modules/mustache/`}, []string{`esbuild`, `^app/src/`}},
		{"test", []string{"base", "dependencies", "test"}, []string{`^app/test/`, `^app/src/`}, []string{`^app/dist/`}},
		{"build", []string{"base", "build", "dependencies"}, []string{`^app/dist/server\.js$`, `^app/src/`}, nil},
		{"production", []string{"base", "build", "dependencies", "production", "production-dependencies", "test"}, []string{`^app/dist/server\.js$`}, []string{`^app/src/`, `esbuild`}},
	}
	var stages []string
	for _, target := range targets {
		stages = append(stages, target.name)
	}
	contents := r.list(t, stages...)
	for _, target := range targets {
		log := build(t, r.sandbox, r.dir, "--target", target.name)
		if got := log.stages(); !slices.Equal(got, target.stages) {
			t.Errorf("--target %s: steps of the stages %q, want %q", target.name, got, target.stages)
		}
		if want := r.needed(t, target.name); len(log.steps()) != want {
			t.Errorf("--target %s: want %d steps, not%s", target.name, want, names(log.steps()))
		}
		t.Run(target.name, func(t *testing.T) {
			expectFiles(t, contents[target.name].files, target.files, target.foreign)
		})
	}
}

// sideBySide changes both builders' sources and checks that neither builder waited for the other. Each is
// taken from its first step that ran to its last: which of their RUN instructions coincide depends on the
// machine.
func sideBySide(t *testing.T, r exampleRun) {
	changed := changedCopy(t, r.dir, "frontend/src/main.ts", "backend/main.go")
	log := build(t, r.sandbox, changed)
	ran := map[string]span{}
	for _, s := range log.steps() {
		for _, run := range log.runs[s.Digest] {
			at, seen := ran[s.stage]
			if !seen || run.from.Before(at.from) {
				at.from = run.from
			}
			if run.to.After(at.to) {
				at.to = run.to
			}
			ran[s.stage] = at
		}
		// Packages do not depend on the sources.
		if strings.HasSuffix(s.Name, "RUN npm ci") && !s.Cached {
			t.Errorf("after a change of sources ran %s", s.Name)
		}
	}
	front, back := ran["frontend-builder"], ran["backend-builder"]
	if front.from.IsZero() || back.from.IsZero() {
		t.Fatalf("the builders did not both run:%s", names(log.steps()))
	}
	if !front.overlaps(back) {
		t.Errorf("the builders ran one after the other: frontend %v to %v, backend %v to %v", front.from, front.to, back.from, back.to)
	}
}

// withoutCache builds what earlier runs have left in the cache once more, from the first step.
func withoutCache(t *testing.T, r exampleRun) {
	steps := build(t, r.sandbox, r.dir, "--no-cache", "--target", "test").steps()
	if want := r.needed(t, "test"); len(steps) < want {
		t.Errorf("the build shows fewer than the %d steps that the Dockerfile needs:%s", want, names(steps))
	}
	for _, s := range steps {
		if s.Cached {
			t.Errorf("--no-cache took a step from the cache: %s", s.Name)
		}
	}
}

// TestBakeExample builds several targets of an example by its Bake file in one call. The stages that they
// share run once, whichever of them needs them; the second call finds everything in the cache.
func TestBakeExample(t *testing.T) {
	e := exampleNamed(t, "stages")
	s := exampleSandbox(t, e.bases)
	image := s.Registry + "/bake/contrast"
	// Everything depends on the manifest.
	dir := changedCopy(t, e.dir(), "package.json")
	bake := func() solveLog {
		cmd := s.Buildx("bake", "--progress=rawjson", "--set=image.tags="+image, "--set=image.output=type=image,push=true")
		cmd.Dir = dir
		return runBuild(t, cmd)
	}
	log := bake()
	// By their text, since the steps of test and build that copy the folder are one.
	ran := map[string]int{}
	for _, step := range log.steps() {
		_, text, _ := strings.Cut(step.text, "] ")
		ran[text] += len(log.runs[step.Digest])
	}
	want := map[string]int{
		"COPY package.json package-lock.json ./": 1,
		"RUN npm ci":                             1,
		"RUN npm ci --omit=dev":                  1,
		"COPY . .":                               1,
		"RUN npm test":                           1,
		"RUN npm run build":                      1,
		"COPY package.json ./":                   1,
		"COPY --from=production-dependencies /app/node_modules ./node_modules": 1,
		"COPY --from=build /app/dist ./dist":                                   1,
	}
	if !maps.Equal(ran, want) {
		t.Errorf("the steps ran so often:\n%v\nwant\n%v", ran, want)
	}
	if !log.wrote(e.tests) {
		t.Errorf("the target test did not write %q, but:\n%s", e.tests, log.output())
	}
	for _, step := range bake().steps() {
		if !step.Cached {
			t.Errorf("the second call ran a step again: %s", step.Name)
		}
	}
	run := exampleRun{sandbox: s, dir: dir}
	e.checkConfig(t, run, image)
	e.checkAnswers(t, &run, image)
	e.stop(t, run.container)
}
