package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// Docker is a running Docker Engine beside a sandbox. It has a network of its own: a loopback interface
// and the engine's bridge docker0, so that builds and published ports work as on a user's machine and
// meet no other program's. Two things of the machine are reached from there: the sandbox's registry,
// which is docker.io's mirror here too and has the address it has outside, and, through an HTTP proxy
// that the client passes to builds and containers, whatever the machine reaches.
type Docker struct {
	Dir  string // removed by Close; a place for a caller's own files
	Host string // unix:///…, for DOCKER_HOST
	// Release tells which engine it is.
	Release *DockerRelease

	programs   dockerPrograms
	enclosure  *enclosure.Enclosure
	containerd *enclosure.Process
	daemon     *enclosure.Process
	listeners  []net.Listener
	env        []string // for clients
	root       string   // where the engine's images and build cache lie
	kept       keptFolder
}

// DockerRelease is a release of the Docker Engine and its client.
type DockerRelease struct {
	name string
	// folder begins the name of what is kept of the engine.
	folder string
	// programs returns the release's files, built or fetched where the cache lacks them.
	programs func(ctx context.Context) (dockerPrograms, error)
	// settings adds to what daemon.json has for all releases.
	settings func(d *Docker, settings map[string]any)
	// plugin tells that the client's "docker build" is the plugin buildx.
	plugin bool
	env    []string // for the client
}

// String names the release, for people.
func (r *DockerRelease) String() string { return r.name }

// dockerPrograms are the files of a release, by their paths.
type dockerPrograms struct {
	docker, dockerd, proxy, containerd string
	path                               []string // folders with what these start
	env                                []string // for all of them, NAME=VALUE
}

// DockerToday is the engine and client that package tools builds: dockerd with containerd and runc, and
// docker with the plugin buildx.
var DockerToday = &DockerRelease{
	name: "Docker Engine", folder: "docker",
	programs: func(ctx context.Context) (p dockerPrograms, err error) {
		for tool, path := range map[string]*string{
			"docker": &p.docker, "dockerd": &p.dockerd, "docker-proxy": &p.proxy, "containerd": &p.containerd,
		} {
			if *path, err = tools.Bin(ctx, tool); err != nil {
				return p, err
			}
		}
		runc, err := tools.Bin(ctx, "runc")
		p.path = []string{filepath.Dir(p.containerd), filepath.Dir(runc)}
		return p, err
	},
	settings: func(_ *Docker, settings map[string]any) { settings["ip6tables"] = false },
	plugin:   true,
}

// bridgeAddress is the engine's own address on its bridge, as containers see it.
const bridgeAddress = "172.17.0.1"

// proxyPort is where containers find the HTTP proxy at bridgeAddress. The network is the engine's own,
// so nothing else has the port.
const proxyPort = "3128"

// Docker returns the sandbox's engine of a release. The first call starts it and waits until it answers;
// Sandbox.Close closes it. ctx bounds only the start.
func (s *Sandbox) Docker(ctx context.Context, release *DockerRelease) (*Docker, error) {
	s.dockersMu.Lock()
	defer s.dockersMu.Unlock()
	for _, d := range s.dockers {
		if d.Release == release {
			return d, nil
		}
	}
	d, err := s.startDocker(ctx, release)
	if err == nil {
		s.dockers = append(s.dockers, d)
	}
	return d, err
}

func (s *Sandbox) startDocker(ctx context.Context, release *DockerRelease) (*Docker, error) {
	programs, err := release.programs(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := s.keptFolder(release.folder, programs.build())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	d, err := s.startDockerIn(ctx, release, programs, kept)
	if err != nil && kept.isUsed && ctx.Err() == nil {
		if err := kept.empty("cannot be used (" + err.Error() + ")"); err != nil {
			return nil, err
		}
		d, err = s.startDockerIn(ctx, release, programs, kept)
	}
	return d, err
}

// build names the programs of a release by their paths, which change with them.
func (p dockerPrograms) build() string {
	sum := sha256.Sum256([]byte(p.dockerd + "\n" + p.containerd))
	return hex.EncodeToString(sum[:])[:16]
}

// startDockerIn starts an engine over what the last one has left, if anything.
func (s *Sandbox) startDockerIn(ctx context.Context, release *DockerRelease, programs dockerPrograms, kept keptFolder) (*Docker, error) {
	e, err := enclosure.New(ctx, enclosure.PrivateNetwork())
	if err != nil {
		return nil, err
	}
	d := &Docker{
		Dir: e.Dir, Host: "unix://" + filepath.Join(e.Dir, "docker.sock"), Release: release,
		programs: programs, enclosure: e, root: e.Dir, kept: kept,
	}
	if kept.dir != "" {
		d.root = kept.dir
	}
	err = d.openWays(s.Registry)
	if err == nil {
		err = d.configureClient(s)
	}
	if err == nil {
		err = d.startContainerd(ctx)
	}
	if err == nil {
		err = d.startDaemon(ctx, s.Registry)
	}
	if err == nil && kept.isUsed {
		err = d.keepOnlyCache(ctx)
	}
	if err != nil {
		d.kept = keptFolder{} // not given back
		logs := ""
		for _, p := range []*enclosure.Process{d.containerd, d.daemon} {
			if p != nil {
				logs += trouble(p, 0)
			}
		}
		return nil, errors.Join(fmt.Errorf("%s: %w\n%s", release, err, logs), d.Close())
	}
	return d, nil
}

// keepOnlyCache removes what the last engine has left besides its build cache: containers, and images,
// which the engine would take for those of the registry.
func (d *Docker) keepOnlyCache(ctx context.Context) error {
	containers, err := d.Output(ctx, "ps", "--all", "--quiet")
	if err != nil {
		return err
	}
	if ids := strings.Fields(containers); len(ids) > 0 {
		if _, err := d.Output(ctx, append([]string{"rm", "--force", "--volumes"}, ids...)...); err != nil {
			return err
		}
	}
	for _, kind := range [][]string{{"image", "prune", "--all"}, {"volume", "prune"}} {
		if _, err := d.Output(ctx, append(kind, "--force")...); err != nil {
			return err
		}
	}
	return nil
}

// openWays lets programs in the engine's network reach the registry and the outside.
func (d *Docker) openWays(registry string) error {
	front, err := d.enclosure.Listen("tcp", registry)
	if err != nil {
		return err
	}
	d.listeners = append(d.listeners, front)
	go forward(front, registry)

	proxy, err := d.enclosure.Listen("tcp", ":"+proxyPort)
	if err != nil {
		return err
	}
	d.listeners = append(d.listeners, proxy)
	go func() { _ = (&http.Server{Handler: newProxy()}).Serve(proxy) }()
	return nil
}

// startContainerd starts the engine's containerd. One that dockerd starts cannot be told to leave the
// machine's /opt alone.
func (d *Docker) startContainerd(ctx context.Context) error {
	config := filepath.Join(d.Dir, "containerd.toml")
	text := fmt.Sprintf(`version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.grpc.v1.cri"]

[grpc]
address = %q

[debug]
level = "warn"
`, filepath.Join(d.root, "containerd"), filepath.Join(d.Dir, "run/containerd"), d.containerdSocket())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	for _, dir := range []string{"run", "tmp", "home"} {
		if err := os.Mkdir(filepath.Join(d.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	var err error
	d.containerd, err = d.enclosure.Start(enclosure.Program{
		Name: "containerd", Path: d.programs.containerd, Args: []string{"--config", config}, Env: d.daemonEnv(),
	})
	if err != nil {
		return err
	}
	return awaitReady(ctx, "containerd", d.containerd, func() error {
		conn, err := net.Dial("unix", d.containerdSocket())
		if err == nil {
			conn.Close()
		}
		return err
	})
}

func (d *Docker) containerdSocket() string { return filepath.Join(d.Dir, "containerd.sock") }

// daemonEnv is the environment of the engine's own programs. Temporary files belong into the folder that
// is removed, not into the machine's.
func (d *Docker) daemonEnv() []string {
	path := append(slices.Clone(d.programs.path), os.Getenv("PATH"))
	return setEnv(setEnv(machineEnv(), "PATH="+strings.Join(path, string(os.PathListSeparator)),
		"TMPDIR="+filepath.Join(d.Dir, "tmp"), "HOME="+filepath.Join(d.Dir, "home")), d.programs.env...)
}

// startDaemon starts dockerd.
func (d *Docker) startDaemon(ctx context.Context, registry string) error {
	settings := map[string]any{
		"data-root":           filepath.Join(d.root, "data"),
		"exec-root":           filepath.Join(d.Dir, "run/docker"),
		"containerd":          d.containerdSocket(),
		"log-level":           "warn",
		"userland-proxy-path": d.programs.proxy,
		"pidfile":             filepath.Join(d.Dir, "docker.pid"),
		"hosts":               []string{d.Host},
		"bip":                 bridgeAddress + "/16",
		"registry-mirrors":    []string{"http://" + registry},
		"insecure-registries": []string{registry},
		"cgroup-parent":       d.enclosure.Cgroup,
		"exec-opts":           []string{"native.cgroupdriver=cgroupfs"},
		// Between the bridge and the loopback interface is nothing to be filtered or translated:
		// docker-proxy carries what comes for published ports.
		"iptables": false,
	}
	if d.kept.dir != "" {
		// What releases call the limit has changed; each passes over the other's name for it.
		rule := map[string]any{"all": true, "keepStorage": stateLimit, "maxUsedSpace": stateLimit}
		settings["builder"] = map[string]any{"gc": map[string]any{"enabled": true, "policy": []any{rule}}}
	}
	d.Release.settings(d, settings)
	text, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return err
	}
	config := filepath.Join(d.Dir, "daemon.json")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return err
	}
	d.daemon, err = d.enclosure.Start(enclosure.Program{
		Name: "dockerd", Path: d.programs.dockerd, Args: []string{"--config-file", config}, Env: d.daemonEnv(),
	})
	if err != nil {
		return err
	}
	return awaitReady(ctx, "dockerd", d.daemon, func() error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		out, err := d.command(ctx, "version").CombinedOutput()
		if err != nil {
			return fmt.Errorf("docker version: %w\n%s", err, out)
		}
		return nil
	})
}

// configureClient makes the client's configuration folder.
func (d *Docker) configureClient(s *Sandbox) error {
	config := filepath.Join(d.Dir, "docker")
	if err := os.MkdirAll(filepath.Join(config, "cli-plugins"), 0o700); err != nil {
		return err
	}
	if d.Release.plugin {
		if err := os.Symlink(s.bin["buildx"], filepath.Join(config, "cli-plugins", "docker-buildx")); err != nil {
			return err
		}
	}
	address := "http://" + net.JoinHostPort(bridgeAddress, proxyPort)
	text, err := json.Marshal(map[string]any{"proxies": map[string]any{"default": map[string]string{
		"httpProxy": address, "httpsProxy": address, "noProxy": "localhost,127.0.0.1",
	}}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(config, "config.json"), text, 0o600); err != nil {
		return err
	}
	bin := filepath.Join(d.Dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return err
	}
	if err := os.Symlink(d.programs.docker, filepath.Join(bin, "docker")); err != nil {
		return err
	}
	d.env = setEnv(machineEnv(),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"DOCKER_HOST="+d.Host,
		"DOCKER_CONFIG="+config,
		"BUILDX_CONFIG="+filepath.Join(d.Dir, "buildx"),
	)
	d.env = setEnv(d.env, d.Release.env...)
	return nil
}

// Environment is that of the engine's client, NAME=VALUE, with the client as "docker" on its PATH.
func (d *Docker) Environment() []string { return slices.Clone(d.env) }

// Command is a call of the release's docker client. It is not started; the caller sets its working
// directory and streams.
func (d *Docker) Command(args ...string) *exec.Cmd { return d.command(context.Background(), args...) }

func (d *Docker) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.programs.docker, args...)
	cmd.Env = d.env
	return cmd
}

// Dial connects to an address in the engine's network, such as that of a published port.
func (d *Docker) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return d.enclosure.Dial(ctx, network, address)
}

// Listen opens a listener in the engine's network, for a service that builds and containers reach there.
// The caller closes it.
func (d *Docker) Listen(network, address string) (net.Listener, error) {
	return d.enclosure.Listen(network, address)
}

// Start starts a program beside the engine, in its network, with the client's environment. What it
// writes goes to the process's log.
func (d *Docker) Start(p enclosure.Program) (*enclosure.Process, error) {
	if p.Env == nil {
		p.Env = d.env
	}
	return d.enclosure.Start(p)
}

// Close ends the engine with its containers and removes the folder.
func (d *Docker) Close() error {
	ended := d.kept.dir != "" && endInPeace(d.daemon, d.containerd)
	for _, l := range d.listeners {
		l.Close()
	}
	err := d.enclosure.Close()
	if ended && err == nil {
		err = d.kept.giveBack()
	}
	return err
}

// DockerDebian12 is the engine and client of Debian 12's package docker.io: 20.10, whose BuildKit is of
// 2021. Its "docker build" asks the engine's BuildKit itself.
var DockerDebian12 = &DockerRelease{
	name: "Docker Engine 20.10 of Debian 12", folder: "docker.io",
	programs: func(ctx context.Context) (dockerPrograms, error) {
		root, err := tools.DebianDocker(ctx)
		if err != nil {
			return dockerPrograms{}, err
		}
		bin, sbin := filepath.Join(root, "usr/bin"), filepath.Join(root, "usr/sbin")
		libraries, err := filepath.Glob(filepath.Join(root, "*/lib/*-linux-gnu"))
		older, olderErr := filepath.Glob(filepath.Join(root, "lib/*-linux-gnu"))
		return dockerPrograms{
			docker: filepath.Join(bin, "docker"), dockerd: filepath.Join(sbin, "dockerd"),
			proxy: filepath.Join(sbin, "docker-proxy"), containerd: filepath.Join(bin, "containerd"),
			path: []string{bin, sbin},
			env:  []string{"LD_LIBRARY_PATH=" + strings.Join(append(libraries, older...), ":")},
		}, errors.Join(err, olderErr)
	},
	// It would make a key in the machine's /etc/docker.
	settings: func(d *Docker, settings map[string]any) {
		settings["deprecated-key-path"] = filepath.Join(d.Dir, "key.json")
	},
	env: []string{"DOCKER_BUILDKIT=1"},
}
