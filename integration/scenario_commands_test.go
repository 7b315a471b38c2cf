package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/moby/buildkit/client"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// scenarioCommands are what a scenario can do besides testscript's own commands. What they tell goes to
// the standard output, where stdout, cmp and cp find it.
var scenarioCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"config":    imageConfig,
	"manifest":  imageManifest,
	"run-image": runImage,
	"states":    vertexStates,
	"runs":      vertexRuns,
	"overlap":   vertexesOverlap,
	"git-serve": gitServe,
	"failure":   failure,
	"web-serve": webServe,
}

// usage ends a scenario that calls a command wrongly.
func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}

func scenarioSandbox(ts *testscript.TestScript) *sandbox.Sandbox {
	return ts.Value(sandboxKey{}).(*sandbox.Sandbox)
}

// remoteImage is an image of the sandbox's registry for a platform, by default this machine's.
func remoteImage(ts *testscript.TestScript, ref string, platform []string) (v1.Image, error) {
	parsed, err := name.ParseReference(ref, name.Insecure)
	ts.Check(err)
	want := &v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	if len(platform) > 0 {
		want, err = v1.ParsePlatform(platform[0])
		ts.Check(err)
	}
	return remote.Image(parsed, remote.WithPlatform(*want))
}

// imageConfig writes the configuration file of an image that a build pushed, as JSON.
func imageConfig(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && (len(args) == 1 || len(args) == 2), "config REF [PLATFORM]")
	image, err := remoteImage(ts, args[0], args[1:])
	ts.Check(err)
	file, err := image.ConfigFile()
	ts.Check(err)
	text, err := json.MarshalIndent(file, "", "  ")
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", text)
}

// imageManifest writes the digests of an image that a build pushed: the manifest's, then the layers'.
// With ! the registry must not have the image: a registry that cannot be asked is a failure.
func imageManifest(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 || len(args) == 2, "[!] manifest REF [PLATFORM]")
	image, err := remoteImage(ts, args[0], args[1:])
	if neg {
		var answer *transport.Error
		if err == nil || !errors.As(err, &answer) || answer.StatusCode != http.StatusNotFound {
			ts.Fatalf("%s is there, or the registry does not say: %v", args[0], err)
		}
		return
	}
	ts.Check(err)
	digest, err := image.Digest()
	ts.Check(err)
	manifest, err := image.Manifest()
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), digest)
	for _, layer := range manifest.Layers {
		fmt.Fprintln(ts.Stdout(), layer.Digest)
	}
}

// runImage runs an image that a build pushed, writes what it wrote, and fails where its exit status is
// not 0; with !, where it is.
func runImage(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 1, "[!] run-image REF [ARG...]")
	ctx := ts.Value(contextKey{}).(context.Context)
	c, err := scenarioSandbox(ts).RunImage(ctx, args[0], sandbox.RunOptions{Args: args[1:]})
	ts.Check(err)
	code, err := c.Wait(ctx)
	output := c.Output()
	ts.Check(errors.Join(err, c.Close()))
	fmt.Fprintln(ts.Stdout(), strings.TrimSuffix(output, "\n"))
	if (code == 0) == neg {
		ts.Fatalf("%s: exit status %d\n%s", args[0], code, output)
	}
}

// vertexStates writes the vertexes of a build, one a line, in the order in which they were first told:
// CACHED, DONE, CANCELED, ERROR or PENDING, and the name. The file is what the client wrote with
// --progress=rawjson.
func vertexStates(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "states FILE")
	log, err := parseSolveLog([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	for _, d := range log.order {
		v := log.vertexes[d]
		fmt.Fprintln(ts.Stdout(), state(v), v.Name)
	}
}

// vertexRuns writes the RUN, COPY and ADD instructions that a call of buildx ran, sorted by name, each with
// how often. What came from the cache is left out, and so is the target before each name in Bake's progress:
// that of the one that told last.
func vertexRuns(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "runs FILE")
	log, err := parseSolveLog([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	counts := map[string]int{}
	for _, s := range log.steps() {
		counts["["+s.text] += len(log.runs[s.Digest])
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			fmt.Fprintln(ts.Stdout(), counts[name], name)
		}
	}
}

func state(v *client.Vertex) string {
	switch {
	case strings.Contains(v.Error, "context canceled"):
		return "CANCELED"
	case v.Error != "":
		return "ERROR"
	case v.Cached:
		return "CACHED"
	case v.Completed != nil:
		return "DONE"
	}
	return "PENDING"
}

// vertexesOverlap wants that two vertexes of a build ran at the same time, at least for a moment. Each
// pattern, a regular expression, must match the name of exactly one vertex.
func vertexesOverlap(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 3, "overlap FILE PATTERN PATTERN")
	log, err := parseSolveLog([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	find := func(pattern string) *client.Vertex {
		var found []*client.Vertex
		for _, d := range log.order {
			if regexp.MustCompile(pattern).MatchString(log.vertexes[d].Name) {
				found = append(found, log.vertexes[d])
			}
		}
		if len(found) != 1 || found[0].Started == nil || found[0].Completed == nil {
			ts.Fatalf("%d vertexes match %s, want one that ran, of: %q", len(found), pattern, log.names())
		}
		return found[0]
	}
	a, b := find(args[1]), find(args[2])
	if !(span{*a.Started, *a.Completed}).overlaps(span{*b.Started, *b.Completed}) {
		ts.Fatalf("they ran one after the other: %s from %v to %v, %s from %v to %v", a.Name, a.Started, a.Completed, b.Name, b.Started, b.Completed)
	}
}

// progress matches what a client tells of a build that goes on, in a log that is no terminal's.
var progress = regexp.MustCompile(`(?m)^(#\d+ .*)?\n`)

// stamp matches the time before a line that a step wrote, in seconds since the step began.
var stamp = regexp.MustCompile(`(?m)^\d+\.\d+ `)

// ref matches BuildKit's own number of a snapshot, which each run makes again.
var ref = regexp.MustCompile(`\bref [a-z0-9]+::[a-z0-9]+`)

// failure runs a build that must fail and writes what it leaves on the user's screen below the progress,
// with the exit status. Times are shown as 0.000, and snapshots without their numbers.
func failure(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) > 0, "failure PROGRAM [ARG...]")
	var exit *exec.ExitError
	err := ts.Exec(args[0], args[1:]...)
	if !errors.As(err, &exit) {
		ts.Fatalf("want an exit status other than 0, got %v", err)
	}
	text := progress.ReplaceAllString(ts.ReadFile("stdout")+ts.ReadFile("stderr"), "")
	text = ref.ReplaceAllString(stamp.ReplaceAllString(oneWording(text), "0.000 "), "ref …")
	fmt.Fprintf(ts.Stdout(), "%sexit status %d\n", text, exit.ExitCode())
}

// gitHost serves Git repositories and files over HTTP, as a forge does.
type gitHost struct {
	*httptest.Server
	dir     string   // of the repositories
	folders sync.Map // of files, by the first part of their paths
}

// newGitHost starts one; the listener is where, nil for an address of this machine.
func newGitHost(t *testing.T, listener net.Listener) *gitHost {
	t.Helper()
	dir := t.TempDir()
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatalf("git is needed to serve repositories: %v", err)
	}
	host := &gitHost{dir: dir}
	git := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"},
	}
	host.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if folder, ok := host.folders.Load(strings.Split(r.URL.Path, "/")[1]); ok {
			http.StripPrefix("/"+strings.Split(r.URL.Path, "/")[1], http.FileServer(http.Dir(folder.(string)))).ServeHTTP(w, r)
			return
		}
		git.ServeHTTP(w, r)
	}))
	if listener != nil {
		_ = host.Listener.Close()
		host.Listener = listener
	}
	host.Start()
	t.Cleanup(host.Close)
	return host
}

// gitServe makes a repository of a folder, with one commit on the branch main, and offers it as
// $GIT/NAME.git. It writes the commit.
func gitServe(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "git-serve FOLDER NAME")
	commit, err := ts.Value(gitKey{}).(*gitHost).serve(ts.MkAbs(args[0]), args[1])
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), commit)
}

// serve makes a repository of a folder and returns its one commit.
func (g *gitHost) serve(folder, name string) (commit string, err error) {
	repo := filepath.Join(g.dir, name+".git")
	if _, err := os.Stat(repo); err == nil {
		return "", fmt.Errorf("there is a repository %s already", name)
	}
	var out []byte
	for _, call := range [][]string{
		{"init", "-q", "--bare", "-b", "main", repo},
		{"--git-dir", repo, "--work-tree", folder, "add", "--all", "--force", "."},
		{"--git-dir", repo, "--work-tree", folder, "-c", "user.name=Scenario", "-c", "user.email=scenario@example.com", "commit", "-q", "-m", "files"},
		{"--git-dir", repo, "rev-parse", "HEAD"},
	} {
		cmd := exec.Command("git", call...)
		cmd.Dir = folder
		if out, err = cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("git %q: %w\n%s", call, err, out)
		}
	}
	return strings.TrimSpace(string(out)), nil
}

// webServe offers the files of a folder as $GIT/NAME/FILE.
func webServe(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "web-serve FOLDER NAME")
	if _, taken := ts.Value(gitKey{}).(*gitHost).folders.LoadOrStore(args[1], ts.MkAbs(args[0])); taken {
		ts.Fatalf("another scenario has files under %s", args[1])
	}
}

// oneWording gives a failure the words that clients mostly have for it. BuildKit's client hears of it twice, and
// which comes first is chance.
func oneWording(log string) string {
	return strings.ReplaceAll(log, "ERROR: failed to build: failed to run Build function: ", "ERROR: failed to build: failed to solve: ")
}
