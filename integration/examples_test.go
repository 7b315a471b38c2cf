package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// example is an application of the folder examples and what is expected of its image. The zero value of
// an expectation about the image's configuration means that the image has none.
type example struct {
	name  string
	bases []string // images that its Dockerfile names

	// builder is the stage whose size the image's is compared with, and atMost the largest part of it
	// that the image may have.
	builder string
	atMost  float64

	config  config
	files   []string // regular expressions; each matches a file of the image
	foreign []string // regular expressions; none matches a file of the image
	only    []string // where given, all files that the image has

	tests string // what the stage "test" writes when its tests pass
	// change names files without which the tests' steps stay in the cache. Where none is given the stage is
	// built without the cache; one with a cache mount would find that empty and take minutes.
	change []string
	// keep tells that compiling the tests takes longer than all else: they run where no earlier run has left
	// them in the cache, and then have to write what they should.
	keep bool
	asks []ask
	uid  string // of the running program, as id prints it; empty where the image has no such command
	// healthy tells that HEALTHCHECK's command succeeds in the running container.
	healthy bool

	// also looks at what the fields above do not cover.
	also func(*testing.T, exampleRun)
}

// config is what an image's configuration says, less what is the base image's own affair.
type config struct {
	user       string
	port       string
	entrypoint []string
	cmd        []string
	workdir    string
	env        []string // among others
	stopSignal string
}

// ask is a request to the running application and its answer.
type ask struct {
	path   string
	status int
	body   string // regular expression
}

// gcc matches C compilers by whatever name.
const gcc = `(^|/)([a-z0-9_]+-linux-[a-z]+-)?(gcc|cc|cc1|g\+\+|c\+\+)(-[0-9.]+)?$`

var examples = []example{
	{
		name:    "go",
		bases:   []string{"golang:1.22-alpine"},
		builder: "builder", atMost: 0.05,
		config: config{user: "65532:65532", port: "8080/tcp", entrypoint: []string{"/server"}},
		only:   []string{"etc/ssl/certs/ca-certificates.crt", "server"},
		tests:  "ok  \texample.com/notes/internal/notes",
		change: []string{"internal/notes/notes_test.go"},
		asks: []ask{
			{"/", 200, `<a href="/notes/stages">Why two stages</a>`},
			{"/notes/stages", 200, `<strong>builder</strong>`},
			{"/notes/none", 404, `not found`},
			// Without the certificates that the Dockerfile copies, this would be false.
			{"/healthz", 200, `"tlsRoots":true`},
		},
	},
	{
		name:    "node",
		bases:   []string{"node:20", "node:20-alpine"},
		builder: "builder", atMost: 0.8,
		config: config{user: "node", port: "3000/tcp", entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"node", "dist/server.js"},
			workdir: "/app", env: []string{"NODE_ENV=production"}},
		files:   []string{`^app/dist/server\.js$`, `^app/node_modules/express/package\.json$`},
		foreign: []string{`^app/(src|test|tsconfig\.json)`, `^app/node_modules/(typescript|@types)/`, `^root/\.npm/_cacache/content`, `^usr/bin/apt`, gcc},
		tests:   "# pass 3",
		asks: []ask{
			{"/convert?value=5&from=km&to=mi", 200, `^\{"value":3\.10685596,"unit":"mi"\}$`},
			{"/convert?value=5&from=km&to=parsec", 400, `"error"`},
		},
		uid: "1000",
	},
	{
		name:    "stages",
		bases:   []string{"node:20-alpine"},
		builder: "build", atMost: 0.97, // the same base; what differs is the bundler
		config: config{user: "node", port: "3000/tcp", entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"node", "dist/server.js"},
			workdir: "/app", env: []string{"NODE_ENV=production"}},
		files:   []string{`^app/dist/server\.js$`, `^app/node_modules/mustache/`},
		foreign: []string{`^app/(src|test)/`, `esbuild`, gcc},
		tests:   "# pass 3",
		asks: []ask{
			{"/?fg=777&bg=fff", 200, `contrast of 4\.48 to 1\.</p>\n<p>Too low`},
			{"/?fg=blue", 400, `not a colour: blue`},
		},
		uid:  "1000",
		also: everyTarget,
	},
	{
		name:    "parallel",
		bases:   []string{"node:20-alpine", "golang:1.22-alpine", "alpine:3.19"},
		builder: "backend-builder", atMost: 0.2,
		config:  config{user: "nobody", port: "8080/tcp", cmd: []string{"/app/server"}},
		files:   []string{`^app/server$`, `^app/public/index\.html$`, `^app/public/main\.js$`},
		foreign: []string{`\.(go|ts|json)$`, `node_modules`, `^usr/local/(go|bin/node)`, `^(frontend|backend)/`, gcc},
		tests:   "ok  \texample.com/dice/dice",
		change:  []string{"frontend/test/summary.test.mjs", "backend/dice/dice_test.go"},
		asks: []ask{
			{"/", 200, `<script src="main\.js">`},
			{"/main.js", 200, `/api/roll`},
			{"/api/roll?dice=3d1", 400, `want dice`},
			{"/api/roll?dice=3d6", 200, `^\{"dice":"3d6","rolls":\[[1-6],[1-6],[1-6]\]\}\n$`},
		},
		uid:  "65534",
		also: sideBySide,
	},
	{
		name:  "external",
		bases: []string{"node:20-alpine", "busybox:1.36"},
		config: config{user: "node", port: "3000/tcp", entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"node", "server.js"},
			workdir: "/app"},
		files:   []string{`^usr/local/bin/wget$`, `^app/server\.js$`},
		foreign: []string{`^app/test/`, `^app/Dockerfile`, gcc},
		tests:   "# pass 2",
		asks: []ask{
			{"/Asia/Tokyo", 200, `^Asia/Tokyo \d\d:\d\d\n$`},
			{"/Atlantis/Centre", 404, `no time zone`},
		},
		uid:     "1000",
		healthy: true,
		also:    withoutCache,
	},
	{
		name:    "java",
		bases:   []string{"maven:3.9-eclipse-temurin-21", "eclipse-temurin:21-jre-alpine"},
		builder: "builder", atMost: 0.7,
		config:  config{user: "calendar", port: "8080/tcp", entrypoint: []string{"java", "-jar", "app.jar"}, workdir: "/app"},
		files:   []string{`^app/app\.jar$`},
		foreign: []string{`(^|/)(javac|mvn)$`, `^app/(src|target|pom\.xml)`, `(^|/)\.m2/`, gcc},
		tests:   "Tests run: 4, Failures: 0, Errors: 0, Skipped: 0",
		keep:    true,
		asks: []ask{
			{"/weekdays?from=2024-01-01&to=2025-01-01", 200, `^\{"weekdays":262\}\n$`},
			{"/weekdays?from=today", 400, `YYYY-MM-DD`},
		},
		uid: system,
	},
	{
		name:    "python",
		bases:   []string{"python:3.12-slim"},
		builder: "builder", atMost: 0.9,
		config: config{user: "isbn", port: "8000/tcp", cmd: []string{"gunicorn", "isbn:create_app()", "--bind", "0.0.0.0:8000"},
			workdir: "/app", env: []string{"PYTHONUNBUFFERED=1"}},
		// The last one had to be compiled.
		files:   []string{`^opt/venv/bin/gunicorn$`, `^app/isbn/__init__\.py$`, `^opt/venv/lib/python3\.\d+/site-packages/markupsafe/_speedups\..*so$`},
		foreign: []string{`^app/(tests|requirements\.txt|Dockerfile)`, gcc},
		tests:   "Ran 5 tests in",
		asks: []ask{
			{"/isbn/0-306-40615-2", 200, `"isbn13":\s*"9780306406157"`},
			{"/isbn/0-306-40615-3", 422, `wrong check digit`},
			{"/healthz", 200, `"ok"`},
		},
		uid: system,
	},
	{
		name:    "rust",
		bases:   []string{"rust:1.76", "debian:12-slim"},
		builder: "builder", atMost: 0.5,
		config:  config{user: "roman", port: "8080/tcp", cmd: []string{"roman"}, stopSignal: "SIGKILL"},
		files:   []string{`^usr/local/bin/roman$`},
		foreign: []string{`(^|/)(cargo|rustc)$`, `\.rs$`, `^app/`, gcc},
		tests:   "3 passed; 0 failed",
		keep:    true,
		asks: []ask{
			{"/1999", 200, `^MCMXCIX\n$`},
			{"/MCMXCIX", 200, `^1999\n$`},
			{"/IC", 404, `ask for`},
		},
		uid: system,
	},
	{
		name:    "web",
		bases:   []string{"node:20-alpine", "nginx:1.25-alpine"},
		builder: "builder", atMost: 0.8,
		config: config{user: "nginx", port: "8080/tcp", entrypoint: []string{"/docker-entrypoint.sh"}, cmd: []string{"nginx", "-g", "daemon off;"},
			stopSignal: "SIGQUIT"},
		files:   []string{`^usr/share/nginx/html/index\.html$`, `^usr/share/nginx/html/assets/index-.*\.(js|css)$`},
		foreign: []string{`(^|/)(node|npm)$`, `node_modules`, `\.jsx$`, `^app/`, gcc},
		tests:   "# pass 4",
		asks: []ask{
			{"/", 200, `<div id="root"></div>`},
			// A path of the page's own, and a file that nobody has.
			{"/about", 200, `<div id="root"></div>`},
			{"/assets/none.js", 404, `nginx`},
		},
		uid:     "101",
		healthy: true,
		also:    inBrowser,
	},
}

// system stands for the number of a user that useradd or adduser took from those for system accounts.
const system = "system"

func exampleNamed(t *testing.T, name string) example {
	t.Helper()
	i := slices.IndexFunc(examples, func(e example) bool { return e.name == name })
	if i < 0 {
		t.Fatalf("there is no example %s", name)
	}
	return examples[i]
}

// TestExamplesAreAllTested keeps a new folder of examples from going untested.
func TestExamplesAreAllTested(t *testing.T) {
	entries, err := os.ReadDir("../examples")
	if err != nil {
		t.Fatal(err)
	}
	all := append(slices.Clone(examples), monorepo)
	for _, entry := range entries {
		if entry.IsDir() && !slices.ContainsFunc(all, func(e example) bool { return e.name == entry.Name() }) {
			t.Errorf("examples/%s is not in the table", entry.Name())
		}
	}
	for _, e := range all {
		for _, file := range []string{"Dockerfile", ".dockerignore", "README.md"} {
			text, err := os.ReadFile(filepath.Join("../examples", e.name, file))
			if err != nil {
				t.Error(err)
			}
			if file == "Dockerfile" && !bytes.HasPrefix(text, []byte("# syntax=stagecraft/stagecraft:1\n")) {
				t.Errorf("examples/%s/Dockerfile does not begin with our syntax line", e.name)
			}
		}
	}
}
