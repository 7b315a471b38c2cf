package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// bridgeAddress is the engine's own address on its bridge, as containers see it.
const bridgeAddress = "172.17.0.1"

// proxyPort is where containers find the HTTP proxy at bridgeAddress. The network is the engine's own,
// so nothing else has the port.
const proxyPort = "3128"

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
	err = awaitReady(ctx, "dockerd", d.daemon, func() error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		out, err := d.command(ctx, "version").CombinedOutput()
		if err != nil {
			return fmt.Errorf("docker version: %w\n%s", err, out)
		}
		return nil
	})
	scatterSnapshots(d.root)
	return err
}
