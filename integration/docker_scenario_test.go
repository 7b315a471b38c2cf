package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// TestDockerScenarios runs testdata/docker/*.txtar, which are like those of TestScenarios but for the
// engine: "exec docker build ." is plain Docker, with the registry as docker.io's mirror.
func TestDockerScenarios(t *testing.T) { dockerScenarios(t, sandbox.DockerToday, "testdata/docker") }

func dockerScenarios(t *testing.T, release *sandbox.DockerRelease, dir string) {
	s, d := dockerEngine(t, release, scenarioBases...)
	listener, err := d.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	git := newGitHost(t, listener)
	testscript.RunT(oneByOne{t}, testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for _, v := range d.Environment() {
				name, value, _ := strings.Cut(v, "=")
				switch name {
				case "PATH", "BUILDX_CONFIG", "DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_BUILDKIT":
					env.Setenv(name, value)
				}
			}
			env.Setenv("PATH", env.Getenv("PATH")+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("REGISTRY", s.Registry)
			env.Setenv("SYNTAX", strings.TrimSpace(strings.TrimPrefix(syntaxLine, "# syntax=")))
			env.Setenv("GIT", git.URL)
			env.Values[contextKey{}] = t.Context()
			env.Values[sandboxKey{}] = s
			env.Values[gitKey{}] = git
			return nil
		},
		Cmds: scenarioCommands,
	})
}

// TestDebianDockerScenarios runs testdata/docker-20.10/*.txtar on Debian 12's Docker Engine 20.10.
func TestDebianDockerScenarios(t *testing.T) {
	dockerScenarios(t, sandbox.DockerDebian12, "testdata/docker-20.10")
}

// oneByOne runs scenarios one after another: Docker 20.10 was seen to lose what is in its build cache while
// another build runs, which is not what they are about.
type oneByOne struct{ *testing.T }

func (oneByOne) Parallel()     {}
func (oneByOne) Verbose() bool { return testing.Verbose() }
func (t oneByOne) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(oneByOne{t}) })
}
