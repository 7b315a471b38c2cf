package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// configureClients makes a buildx builder over the daemon, the current one in a configuration folder of
// the sandbox's own, and makes the pinned buildx the plugin of a docker client.
func (s *Sandbox) configureClients(ctx context.Context) error {
	if s.settings.small {
		s.env = s.clientEnv()
		return ctx.Err()
	}
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
