package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

var update = flag.Bool("update", false, "rewrite what the scenarios and goldens of this package compare with")

// scenarioBases are the images that a scenario can build from.
var scenarioBases = []string{"alpine:3.19", "busybox:latest"}

// TestScenarios runs testdata/*.txtar: each is a folder of files and what a user does in it, with the
// real clients on a real BuildKit. The language is testscript's, where
//
//	exec buildx build .     runs the pinned buildx; so do buildctl and git
//	! exec buildx build .   the same, and wants it to fail
//	stderr 'text'           looks at what the last command wrote
//	cmp stdout golden.txt   -update rewrites such files
//
// with the commands of scenario_commands_test.go, and in the environment
//
//	$REGISTRY       HOST:PORT of the registry that the daemon pulls from and pushes to
//	$SYNTAX         our frontend's image as a "# syntax=" line names it
//	$GIT            the address below which git-serve offers repositories, and web-serve files
//
// All scenarios share one daemon and its cache: steps that must run need a text of their own.
func TestScenarios(t *testing.T) {
	s := sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	git := newGitHost(t, nil)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for _, v := range s.Environment() {
				name, value, _ := strings.Cut(v, "=")
				switch name {
				case "BUILDX_CONFIG", "DOCKER_CONFIG", "BUILDKIT_HOST":
					env.Setenv(name, value)
				}
			}
			env.Setenv("PATH", s.BinDir()+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("REGISTRY", s.Registry)
			env.Setenv("SYNTAX", strings.TrimSpace(strings.TrimPrefix(syntaxLine, "# syntax=")))
			env.Setenv("GIT", git.URL)
			// Of git's configuration only what the scenario sets.
			env.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(env.WorkDir, ".gitconfig"))
			env.Values[contextKey{}] = t.Context()
			env.Values[sandboxKey{}] = s
			env.Values[gitKey{}] = git
			return nil
		},
		Cmds: scenarioCommands,
	})
}

type (
	contextKey struct{}
	sandboxKey struct{}
	gitKey     struct{}
)

// TestScenariosBeginWithOurSyntax keeps a scenario from proving something about docker/dockerfile: every
// Dockerfile in one has our syntax line, or the scenario says why not in a comment "# no syntax line: ...".
func TestScenariosBeginWithOurSyntax(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err == nil {
		var more []string
		more, err = filepath.Glob("testdata/*/*.txtar")
		paths = append(paths, more...)
	}
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "syntax=stagecraft/stagecraft:1") && !strings.Contains(string(text), "$SYNTAX") && !strings.Contains(string(text), "# no syntax line: ") {
			t.Error(fmt.Errorf("%s names our frontend nowhere", path))
		}
	}
}
