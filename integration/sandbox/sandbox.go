// Package sandbox starts a BuildKit daemon and an image registry for a test, a demo or a measurement,
// with the pinned engines of package tools, and leaves nothing behind (package enclosure).
//
// The registry listens on a free loopback port; the daemon, on a socket in the sandbox's own folder,
// reads the registry as docker.io's mirror. So a Dockerfile names base images and its syntax image just
// as it does anywhere else.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/stagecraft/stagecraft/integration/images"
	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// startTimeout bounds how long the engines may take until they answer. The measured time is under a
// second; the bound is for a machine that is busy with other tests.
const startTimeout = 90 * time.Second

// Option changes what Start starts.
type Option func(*settings)

type settings struct {
	noBuiltinFrontend bool
	images            []string
	noImages          bool
	toml              string
	state             string
	stateRule         stateRule
}

// WithoutBuiltinFrontend switches the daemon's own dockerfile.v0 off, so that whatever reads a
// Dockerfile is a frontend image. That frontend is also what follows a "# syntax=" line when a client
// asks for dockerfile.v0, so a build must name the image itself: with buildx by the build argument
// BUILDKIT_SYNTAX, with buildctl by --frontend gateway.v0 --opt source=IMAGE.
func WithoutBuiltinFrontend() Option { return func(s *settings) { s.noBuiltinFrontend = true } }

// WithImages names the base images that the registry holds, such as "docker.io/library/busybox:latest".
// Without this option it holds all of package images.
func WithImages(refs ...string) Option {
	return func(s *settings) { s.images = append(s.images, refs...) }
}

// WithoutImages starts with an empty registry.
func WithoutImages() Option { return func(s *settings) { s.noImages = true } }

// WithBuildkitdTOML appends text to the daemon's configuration file. A table that is already in it,
// such as [worker.oci], cannot be opened again; see config in this package.
func WithBuildkitdTOML(text string) Option { return func(s *settings) { s.toml += text + "\n" } }

// WithState keeps the daemon's folder in the cache under a name, and those of the sandbox's Docker
// Engines, so that their build caches, mounts of type=cache above all, are there for the next sandbox with
// that name. Only one at a time has it; others wait. A test that needs a step to run must give it content
// that no run before had.
func WithState(name string) Option {
	return func(s *settings) { s.state, s.stateRule = name, waitForState }
}

// WithStateIfFree is WithState, but while another sandbox has the state, this one says so and starts
// without.
func WithStateIfFree(name string) Option {
	return func(s *settings) { s.state, s.stateRule = name, startWithoutState }
}

// Sandbox is a running daemon and registry.
type Sandbox struct {
	Dir          string // removed by Close; a place for a caller's own files
	Registry     string // host:port, plain HTTP
	BuildkitAddr string // unix:///…
	// Origin tells where the base images come from, for people: Docker Hub, or made here.
	Origin string

	settings  settings
	bin       map[string]string // path of each tool
	enclosure *enclosure.Enclosure
	buildkitd *enclosure.Process
	registry  *enclosure.Process
	env       []string // for clients
	root      string   // the daemon's folder

	stateFolder string     // what of the sandbox is kept; empty: nothing
	release     func()     // gives the lock on it back
	kept        keptFolder // the daemon's

	dockersMu sync.Mutex
	dockers   []*Docker

	frontendOnce sync.Once
	frontend     string
	frontendErr  error
}

// New starts a sandbox for a test and closes it at the test's end. Where the test failed, the engines'
// logs are shown. A sandbox that cannot start fails the test.
func New(tb testing.TB, opts ...Option) *Sandbox {
	tb.Helper()
	s, err := Start(tb.Context(), opts...)
	if err != nil {
		tb.Fatalf("starting a sandbox: %v", err)
	}
	tb.Cleanup(func() {
		if log := s.Logs(); tb.Failed() && log != "" {
			tb.Log(log)
		}
		if err := s.Close(); err != nil {
			tb.Errorf("closing the sandbox: %v", err)
		}
	})
	return s
}

// Start starts a sandbox, and waits until its engines answer. The caller closes it. ctx bounds only the
// start. What has to be built or fetched first is told on standard error.
func Start(ctx context.Context, opts ...Option) (*Sandbox, error) {
	s := &Sandbox{bin: map[string]string{}, release: func() {}}
	for _, opt := range opts {
		opt(&s.settings)
	}
	for _, tool := range []string{"buildkitd", "buildctl", "registry", "buildkit-runc", "buildx"} {
		path, err := tools.Bin(ctx, tool)
		if err != nil {
			return nil, err
		}
		s.bin[tool] = path
	}
	var set *images.Set
	if !s.settings.noImages {
		var err error
		if set, err = images.Ensure(ctx, s.settings.images...); err != nil {
			return nil, fmt.Errorf("base images: %w", err)
		}
		s.Origin = set.Origin()
	}

	if err := s.takeState(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	if s.enclosure, err = enclosure.New(ctx); err != nil {
		s.release()
		return nil, err
	}
	s.Dir = s.enclosure.Dir
	s.root = filepath.Join(s.Dir, "buildkit")
	// The folder of the pinned build has a name like buildkit-0576165c23ee985d.
	_, build, _ := strings.Cut(filepath.Base(filepath.Dir(s.bin["buildkitd"])), "-")
	if s.kept, err = s.keptFolder("buildkit", build); err == nil && s.kept.dir != "" {
		s.root = s.kept.dir
	}
	if set != nil && err == nil {
		err = set.WriteRegistryDir(ctx, s.storage())
	}
	if err == nil {
		err = s.startEngines(ctx)
	}
	if err != nil {
		logs := s.Logs()
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, logs), s.Close())
	}
	return s, nil
}

func (s *Sandbox) startEngines(ctx context.Context) error {
	if err := s.startRegistry(ctx); err != nil {
		return err
	}
	for _, dir := range []string{"tmp", "home", "docker/cli-plugins", "buildx"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	socket := filepath.Join(s.Dir, "buildkitd.sock")
	s.BuildkitAddr = "unix://" + socket
	err := s.StartBuildkitd(ctx)
	if err != nil && s.buildkitd != nil && s.kept.isUsed && ctx.Err() == nil {
		err = errors.Join(s.StopBuildkitd(ctx), s.kept.empty("cannot be used ("+err.Error()+")"))
		if err == nil {
			err = s.StartBuildkitd(ctx)
		}
	}
	if err != nil {
		return err
	}
	return s.configureClients(ctx)
}

// AddImages lets the running registry have further base images, such as "busybox:latest". What the cache
// lacks of them is made or fetched first.
func (s *Sandbox) AddImages(ctx context.Context, refs ...string) error {
	if len(refs) == 0 {
		return nil
	}
	set, err := images.Ensure(ctx, refs...)
	if err != nil {
		return fmt.Errorf("base images: %w", err)
	}
	// The registry looks into its folder at each question, so that nothing has to be uploaded.
	return set.WriteRegistryDir(ctx, s.storage())
}

// storage is the registry's folder.
func (s *Sandbox) storage() string { return filepath.Join(s.Dir, "registry") }

// startRegistry starts the registry on a port that was free a moment before; should another program
// have taken it meanwhile, on another.
func (s *Sandbox) startRegistry(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.Registry = l.Addr().String()
		l.Close()
		config := filepath.Join(s.Dir, "registry.yml")
		text := fmt.Sprintf(`version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: %q
  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: false
http:
  addr: %q
`, s.storage(), s.Registry)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			return err
		}
		s.registry, err = s.enclosure.Start(enclosure.Program{
			Name: "registry", Path: s.bin["registry"], Args: []string{"serve", config},
			Env: setEnv(os.Environ(), "OTEL_TRACES_EXPORTER=none"),
		})
		if err != nil {
			return err
		}
		err = awaitReady(ctx, "the registry", s.registry, func() error {
			resp, err := http.Get("http://" + s.Registry + "/v2/")
			if err != nil {
				return err
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return errors.New(resp.Status)
			}
			return nil
		})
		if err == nil || attempt == 5 || ctx.Err() != nil {
			return err
		}
	}
}

// StartBuildkitd starts the daemon and waits until it answers. Start has done so; a test calls it again
// after StopBuildkitd, to see what survives in the daemon's folder.
func (s *Sandbox) StartBuildkitd(ctx context.Context) error {
	config := filepath.Join(s.Dir, "buildkitd.toml")
	if err := os.WriteFile(config, []byte(s.config()), 0o600); err != nil {
		return err
	}
	var err error
	s.buildkitd, err = s.enclosure.Start(enclosure.Program{
		Name: "buildkitd", Path: s.bin["buildkitd"], Args: []string{"--config", config},
		// Temporary files belong into the folder that is removed, not into the machine's.
		Env: setEnv(os.Environ(), "TMPDIR="+filepath.Join(s.Dir, "tmp"), "HOME="+filepath.Join(s.Dir, "home")),
	})
	if err != nil {
		return err
	}
	return awaitReady(ctx, "buildkitd", s.buildkitd, func() error {
		c, err := s.Client(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err = c.ListWorkers(ctx)
		return err
	})
}

// StopBuildkitd ends the daemon; its folder stays for StartBuildkitd.
func (s *Sandbox) StopBuildkitd(ctx context.Context) error {
	return s.buildkitd.Stop(ctx, syscall.SIGTERM, 20*time.Second)
}

// config is the text of buildkitd.toml.
func (s *Sandbox) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, `root = %q
insecure-entitlements = ["network.host", "security.insecure"]
# Of an administrator's files, none is to show in provenance.
provenanceEnvDir = %q

[grpc]
address = [%q]

[otel]
socketPath = %q

[cdi]
disabled = true

# The network is the machine's: builds fetch packages as the machine itself does, and reach the registry.
[worker.oci]
enabled = true
networkMode = "host"
binary = %q
defaultCgroupParent = %q
gc = %t

[[worker.oci.gcpolicy]]
all = true
maxUsedSpace = %q

[worker.containerd]
enabled = false

[registry."docker.io"]
mirrors = [%q]

[registry.%q]
http = true

[frontend."dockerfile.v0"]
enabled = %t
`,
		s.root, filepath.Join(s.Dir, "provenance.d"), s.BuildkitAddr,
		filepath.Join(s.Dir, "otel.sock"), s.bin["buildkit-runc"], s.enclosure.Cgroup,
		s.kept.dir != "", stateLimit, s.Registry, s.Registry, !s.settings.noBuiltinFrontend)
	b.WriteString(s.settings.toml)
	return b.String()
}

// awaitReady asks until ready returns nil, the program has ended, or ctx is over.
func awaitReady(ctx context.Context, what string, p *enclosure.Process, ready func() error) error {
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return fmt.Errorf("%s ended instead of answering", what)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Client connects to the daemon. The caller closes the client.
func (s *Sandbox) Client(ctx context.Context) (*client.Client, error) {
	return client.New(ctx, s.BuildkitAddr)
}

// configureClients makes a buildx builder over the daemon, the current one in a configuration folder of
// the sandbox's own, and makes the pinned buildx the plugin of a docker client.
func (s *Sandbox) configureClients(ctx context.Context) error {
	plugin := filepath.Join(s.Dir, "docker", "cli-plugins", "docker-buildx")
	if err := os.Symlink(s.bin["buildx"], plugin); err != nil {
		return err
	}
	if err := s.linkClients(); err != nil {
		return err
	}
	s.env = s.clientEnv()
	create := s.Buildx("create", "--name", "stagecraft", "--driver", "remote", "--use", s.BuildkitAddr)
	if out, err := create.CombinedOutput(); err != nil {
		return fmt.Errorf("buildx create: %w\n%s", err, out)
	}
	return ctx.Err()
}

// clientEnv is the environment of clients.
func (s *Sandbox) clientEnv() []string {
	return append(machineEnv(),
		"BUILDX_CONFIG="+filepath.Join(s.Dir, "buildx"),
		"DOCKER_CONFIG="+filepath.Join(s.Dir, "docker"),
		"BUILDKIT_HOST="+s.BuildkitAddr,
	)
}

// machineEnv is the machine's environment, less what points at other builders and engines.
func machineEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "BUILDX_") || strings.HasPrefix(name, "BUILDKIT_") || strings.HasPrefix(name, "DOCKER_") {
			continue
		}
		env = append(env, entry)
	}
	return env
}

// setEnv returns an environment with variables set, NAME=VALUE. Of two values of a name, the first would
// count for a program that the enclosure starts.
func setEnv(env []string, variables ...string) []string {
	set := slices.Clone(env)
	for _, v := range variables {
		name, _, _ := strings.Cut(v, "=")
		set = slices.DeleteFunc(set, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		set = append(set, v)
	}
	return set
}

// Environment is that of the sandbox's clients, NAME=VALUE: the machine's, less what points at other
// builders, with the sandbox's own configuration folders and daemon.
func (s *Sandbox) Environment() []string { return slices.Clone(s.env) }

// BinDir is a folder with the pinned clients under their own names, for a PATH.
func (s *Sandbox) BinDir() string { return filepath.Join(s.Dir, "bin") }

// linkClients fills BinDir.
func (s *Sandbox) linkClients() error {
	if err := os.MkdirAll(s.BinDir(), 0o700); err != nil {
		return err
	}
	for _, client := range []string{"buildctl", "buildx"} {
		if err := os.Symlink(s.bin[client], filepath.Join(s.BinDir(), client)); err != nil {
			return err
		}
	}
	return nil
}

// Buildx is a call of the pinned buildx, with a builder over the sandbox's daemon selected. It is not
// started; the caller sets its working directory and streams.
func (s *Sandbox) Buildx(args ...string) *exec.Cmd {
	cmd := exec.Command(s.bin["buildx"], args...)
	cmd.Env = s.env
	return cmd
}

// DockerBuildx is a call of "docker buildx", with the pinned buildx as the docker client's plugin, and
// the same as Buildx on a machine that has no docker client.
func (s *Sandbox) DockerBuildx(args ...string) *exec.Cmd {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return s.Buildx(args...)
	}
	cmd := exec.Command(docker, append([]string{"buildx"}, args...)...)
	cmd.Env = s.env
	return cmd
}

// Buildctl is a call of the pinned buildctl on the sandbox's daemon.
func (s *Sandbox) Buildctl(args ...string) *exec.Cmd {
	cmd := exec.Command(s.bin["buildctl"], append([]string{"--addr", s.BuildkitAddr}, args...)...)
	cmd.Env = s.env
	return cmd
}

// Close ends the engines and removes the folder. What is kept of them is given back where they ended in
// peace.
func (s *Sandbox) Close() error {
	s.dockersMu.Lock()
	defer s.dockersMu.Unlock()
	var all sync.WaitGroup
	errs := make([]error, len(s.dockers)+1)
	for i, d := range s.dockers {
		all.Go(func() { errs[i] = d.Close() })
	}
	all.Go(func() {
		ended := s.kept.dir != "" && endInPeace(s.buildkitd)
		err := s.enclosure.Close()
		if ended && err == nil {
			err = s.kept.giveBack()
		}
		errs[len(s.dockers)] = err
	})
	all.Wait()
	s.release()
	return errors.Join(errs...)
}

// endInPeace ends programs, one after the other, and tells whether each ran until it was asked to end and
// then did so by itself.
func endInPeace(programs ...*enclosure.Process) bool {
	for _, p := range programs {
		if p == nil {
			return false
		}
		select {
		case <-p.Done():
			return false
		default:
		}
		if err := p.Stop(context.Background(), syscall.SIGTERM, 30*time.Second); err != nil {
			return false
		}
		if code, err := p.Wait(context.Background()); err != nil || code == 128+int(syscall.SIGKILL) {
			return false
		}
	}
	return true
}
