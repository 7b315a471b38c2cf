package integration

import (
	"slices"
	"strings"
	"testing"
)

// monorepo is the example of several Dockerfiles. docker/dockerfile cannot read it, so that it has a test
// of its own instead of a row in the table.
var monorepo = example{
	name:  "monorepo",
	bases: []string{"golang:1.22-alpine", "node:20-alpine"},
	config: config{user: "node", port: "8080/tcp", entrypoint: []string{"docker-entrypoint.sh"},
		cmd: []string{"node", "server.js", "timetable.json", "public"}, workdir: "/app"},
	files: []string{`^app/server\.js$`, `^app/departures\.js$`, `^app/timetable\.json$`, `^app/public/(index\.html|main\.js|clock\.js)$`},
	// Of each service only what its last stage takes, and nothing of the toolchain.
	foreign: []string{`Dockerfile`, `^app/README\.md$`, `\.csv$`, `\.go$`, `^app/test`, `^style\.js$`, `^usr/local/go/`},
	asks: []ask{
		// The defaults of three files for ARG VERSION.
		{"/api/version", 200, `^\{"api":"0\.3","timetable":"2"\}\n$`},
		{"/", 200, `content="departures-web 1\.2"`},
		{"/api/departures?station=Harbour&after=09:00", 200, `^\[\{"time":"09:40","to":"Mill"\}\]\n$`},
		{"/api/departures?station=Moon", 404, `no station Moon`},
		{"/../server.js", 404, `not found`},
	},
	uid: "1000",
}

// TestMonorepo builds three services and what they share by one Dockerfile, then again from Git. A change in
// each of them makes all of it run, whatever earlier runs have left in the cache.
func TestMonorepo(t *testing.T) {
	s := exampleSandbox(t, monorepo.bases)
	dir := changedCopy(t, monorepo.dir(), "toolchain/style.js", "services/api/departures.js", "services/web/src/clock.js",
		"services/importer/main.go")
	run := exampleRun{sandbox: s, dir: dir, repo: s.Registry + "/examples/monorepo"}
	final := run.repo + ":final"
	first := build(t, s, run.dir, "--provenance=false", "--tag", final, "--push")

	// The gates ran, those of the services' files among them.
	for _, want := range []string{"# pass 3", "# pass 2", "ok  \texample.com/importer", "style: 4 files, 0 lines to mend", "style: 5 files, 0 lines to mend", "style: 7 files, 0 lines to mend"} {
		if !strings.Contains(first.output(), want) {
			t.Errorf("the build did not write %q, but:\n%s", want, first.output())
		}
	}
	// What the services share was built once: all steps by name, which no two stages have in common.
	ran := map[string]int{}
	for _, step := range first.steps() {
		if !step.Cached {
			ran[step.Name]++
		}
	}
	for _, want := range []string{"[toolchain/Dockerfile#style 2/2] RUN node --check /style.js", "[services/web/Dockerfile#build 2/2] RUN node build.js"} {
		if ran[want] != 1 {
			t.Errorf("%s ran %d times, want once", want, ran[want])
		}
	}
	for name, times := range ran {
		if times > 1 {
			t.Errorf("%s ran %d times", name, times)
		}
	}
	// The checker counts what a stage sees of its service's folder: all but what that one's own ignore file
	// leaves out, the drafts of the importer among it. The root's would leave nothing.
	monorepo.checkConfig(t, run, final)
	files, _ := run.contents(t, final)
	monorepo.checkFiles(t, files)
	monorepo.checkAnswers(t, &run, final)
	monorepo.stop(t, run.container)

	// From Git: the same files, so that the same steps are in the cache and the image is the same.
	host := newGitHost(t, nil)
	if _, err := host.serve(run.dir, "monorepo"); err != nil {
		t.Fatal(err)
	}
	fromGit := run.repo + ":git"
	for _, step := range build(t, s, host.URL+"/monorepo.git", "--provenance=false", "--tag", fromGit, "--push").steps() {
		if !step.Cached {
			t.Errorf("from Git a step ran again: %s", step.Name)
		}
	}
	var digests []string
	for _, ref := range []string{final, fromGit} {
		image, err := s.Image(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
	}
	if digests[0] != digests[1] {
		t.Errorf("the image from the folder is %s, from Git %s", digests[0], digests[1])
	}

	// A build argument reaches all files, and a stage of a service is a target.
	log := build(t, s, run.dir, "--target", "services/importer/Dockerfile#build", "--build-arg", "VERSION=7")
	if stages := log.stages(); slices.ContainsFunc(stages, func(s string) bool { return strings.Contains(s, "test") || strings.Contains(s, "web") }) {
		t.Errorf("for a stage of one service the build ran %v", stages)
	}
	if !slices.ContainsFunc(log.names(), func(name string) bool { return strings.Contains(name, "/out/importer -version=7 ") }) {
		t.Errorf("the stage of the service was not built: %v", log.names())
	}
}
