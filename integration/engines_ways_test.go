package integration

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// way is an engine, a client and how a user of them names the frontend.
type way struct {
	engine, client, named string
	// short names the engine in a test's name.
	short string
	// docker is the engine; nil for BuildKit.
	docker *sandbox.Docker
	// line tells that the Dockerfile has our syntax line.
	line bool
	// build is a call that builds the Dockerfile in a folder and names the image.
	build func(dir, tag string) *exec.Cmd
	// graph is a call that asks for the graph of a folder's Dockerfile; nil where the client has none.
	graph func(dir string) *exec.Cmd
	// output runs an image and returns what it wrote.
	output func(ctx context.Context, tag string) (string, error)
	// serve runs the image of an example until the returned function is called.
	serve func(ctx context.Context, e example, tag string) (running, func() error, error)
}

// ways are those that the page lists.
func ways(t *testing.T, s *sandbox.Sandbox) []way {
	t.Helper()
	all := buildKitWays(t, s)
	for _, release := range []*sandbox.DockerRelease{sandbox.DockerToday, sandbox.DockerDebian12} {
		all = append(all, dockerWays(t, release)...)
	}
	return all
}

// frontendImage names our frontend as a user does.
const frontendImage = sandbox.FrontendRepository + ":1"

// buildKitWays are those of a BuildKit without Docker: two with buildctl, buildx and Bake.
func buildKitWays(t *testing.T, s *sandbox.Sandbox) []way {
	t.Helper()
	push := func(tag string) string { return "type=image,push=true,name=" + s.Registry + "/" + tag }
	buildctl := func(frontend ...string) func(dir, tag string) *exec.Cmd {
		return func(dir, tag string) *exec.Cmd {
			args := append([]string{"build", "--progress=plain", "--local", "context=" + dir, "--local", "dockerfile=" + dir, "--output", push(tag)}, frontend...)
			return s.Buildctl(args...)
		}
	}
	buildKit := way{
		engine: "BuildKit " + pinned(t, "buildkitd"), short: "BuildKit",
		output: func(ctx context.Context, tag string) (string, error) {
			c, err := s.RunImage(ctx, tag, sandbox.RunOptions{})
			if err != nil {
				return "", err
			}
			_, err = c.Wait(ctx)
			return c.Output(), errors.Join(err, c.Close())
		},
		serve: func(ctx context.Context, _ example, tag string) (running, func() error, error) {
			c, err := s.RunImage(ctx, tag, sandbox.RunOptions{})
			if err != nil {
				return nil, nil, err
			}
			return c, c.Close, nil
		},
	}
	gateway, line, buildx, bake := buildKit, buildKit, buildKit, buildKit
	gateway.client, gateway.named = "buildctl "+pinned(t, "buildctl"), "`--frontend gateway.v0 --opt source=`"
	gateway.build = buildctl("--frontend", "gateway.v0", "--opt", "source="+frontendImage)
	line.client, line.named, line.line = gateway.client, "the syntax line, `--frontend dockerfile.v0`", true
	line.build = buildctl("--frontend", "dockerfile.v0")
	buildx.client, buildx.named, buildx.line = "buildx "+pinned(t, "buildx")+", remote driver", "the syntax line", true
	buildx.build = func(dir, tag string) *exec.Cmd {
		return s.Buildx("build", "--progress=plain", "--output", push(tag), dir)
	}
	buildx.graph = func(dir string) *exec.Cmd { return s.Buildx("build", "--call=graph", dir) }
	bake.client, bake.named = "buildx bake "+pinned(t, "buildx"), "`args.BUILDKIT_SYNTAX`"
	bake.build = func(dir, tag string) *exec.Cmd {
		file, err := json.Marshal(map[string]any{"target": map[string]any{"default": map[string]any{
			"context": dir, "args": map[string]string{"BUILDKIT_SYNTAX": frontendImage}, "output": []string{push(tag)},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		cmd := s.Buildx("bake", "--progress=plain", "--file", "-")
		cmd.Stdin, cmd.Dir = strings.NewReader(string(file)), dir
		return cmd
	}
	return []way{gateway, line, buildx, bake}
}

// dockerWays are those of an engine and its own client.
func dockerWays(t *testing.T, release *sandbox.DockerRelease) []way {
	t.Helper()
	_, d := dockerEngine(t, release)
	version := func(template string) string {
		text, err := d.Output(t.Context(), "version", "--format", template)
		if err != nil {
			t.Fatal(err)
		}
		// What Debian appends changes with its own repairs.
		return regexp.MustCompile(`[~+][^\s,)]*`).ReplaceAllString(text, "")
	}
	line := way{
		engine: version(`Docker Engine {{.Server.Version}} (containerd {{(index .Server.Components 1).Version}}, runc {{(index .Server.Components 2).Version}})`),
		short:  release.String(), docker: d,
		client: version(`docker {{.Client.Version}}`), named: "the syntax line", line: true,
		build: func(dir, tag string) *exec.Cmd { return d.Command("build", "--progress=plain", "--tag", tag, dir) },
		output: func(ctx context.Context, tag string) (string, error) {
			return d.Output(ctx, "run", "--rm", tag)
		},
		serve: func(ctx context.Context, e example, tag string) (running, func() error, error) {
			c, err := d.Run(ctx, "--publish=127.0.0.1::"+strings.TrimSuffix(e.config.port, "/tcp"), tag)
			if err != nil {
				return nil, nil, err
			}
			return c, func() error { return c.Remove(context.WithoutCancel(ctx)) }, nil
		},
	}
	if release == sandbox.DockerToday {
		line.client += " with buildx " + pinned(t, "buildx")
		line.graph = func(dir string) *exec.Cmd { return d.Command("build", "--call=graph", dir) }
	}
	argument := line
	argument.named, argument.line = "`--build-arg BUILDKIT_SYNTAX=`", false
	argument.build = func(dir, tag string) *exec.Cmd {
		return d.Command("build", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX="+frontendImage, "--tag", tag, dir)
	}
	if line.graph != nil {
		argument.graph = func(dir string) *exec.Cmd {
			return d.Command("build", "--call=graph", "--build-arg", "BUILDKIT_SYNTAX="+frontendImage, dir)
		}
	}
	return []way{line, argument}
}

func pinned(t *testing.T, tool string) string {
	t.Helper()
	version, err := tools.Version(tool)
	if err != nil {
		t.Fatal(err)
	}
	return version
}
