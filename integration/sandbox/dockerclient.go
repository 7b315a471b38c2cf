package sandbox

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

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

// Start starts a program next to the engine, in its network, with the client's environment. What it
// writes goes to the process's log.
func (d *Docker) Start(p enclosure.Program) (*enclosure.Process, error) {
	if p.Env == nil {
		p.Env = d.env
	}
	return d.enclosure.Start(p)
}
