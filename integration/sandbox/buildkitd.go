package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

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
	err = awaitReady(ctx, "buildkitd", s.buildkitd, func() error {
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
	scatterSnapshots(s.root)
	return err
}

// StopBuildkitd ends the daemon; its folder stays for StartBuildkitd.
func (s *Sandbox) StopBuildkitd(ctx context.Context) error {
	return s.buildkitd.Stop(ctx, syscall.SIGTERM, 20*time.Second)
}

// KillBuildkitd ends the daemon without letting it finish anything, as a machine that loses its power does; its
// folder stays for StartBuildkitd.
func (s *Sandbox) KillBuildkitd(ctx context.Context) error {
	return s.buildkitd.Stop(ctx, syscall.SIGKILL, 20*time.Second)
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

// Client connects to the daemon. The caller closes the client.
func (s *Sandbox) Client(ctx context.Context) (*client.Client, error) {
	return client.New(ctx, s.BuildkitAddr)
}
