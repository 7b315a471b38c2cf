package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// DockerContainer is a container that "docker run" started.
type DockerContainer struct {
	ID     string
	docker *Docker
	ports  map[int]string // published ports by those of the container, as far as Get was asked for them
}

// Run starts a container with "docker run --detach" and the given arguments: options, the image, and
// what it is to run. The caller removes the container, or closes the engine, which ends it.
func (d *Docker) Run(ctx context.Context, args ...string) (*DockerContainer, error) {
	// The proxy is for builds: BusyBox's wget would ask it even for the container's own address.
	options := []string{"run", "--detach", "--env=HTTP_PROXY=", "--env=http_proxy=", "--env=HTTPS_PROXY=", "--env=https_proxy="}
	id, err := d.Output(ctx, append(options, args...)...)
	if err != nil {
		return nil, err
	}
	return &DockerContainer{ID: id, docker: d, ports: map[int]string{}}, nil
}

// Output calls the docker client and returns what it wrote on standard output, without the last line's
// end. Where it fails, the error has what it wrote on standard error.
func (d *Docker) Output(ctx context.Context, args ...string) (string, error) {
	out, err := d.command(ctx, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return "", fmt.Errorf("docker %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// Get asks the container's HTTP server for a path, such as "/", on a port that was published. Until the
// server answers it asks again; it gives up when the container has ended or ctx is over.
func (c *DockerContainer) Get(ctx context.Context, port int, path string) (status int, body string, err error) {
	address, known := c.ports[port]
	if !known {
		all, err := c.docker.Output(ctx, "port", c.ID, fmt.Sprintf("%d/tcp", port))
		if err != nil {
			return 0, "", err
		}
		address, _, _ = strings.Cut(all, "\n")
		c.ports[port] = address
	}
	return get(ctx, c.docker.Dial, "http://"+address+path, func() error {
		state, err := c.Inspect(ctx, "{{.State.Status}}")
		if err == nil && state != "running" {
			err = fmt.Errorf("the container is %s; it wrote:\n%s", state, c.Logs(ctx))
		}
		return err
	}, func() string { return c.Logs(context.WithoutCancel(ctx)) })
}

// Inspect is "docker inspect" with a template for what it is to write.
func (c *DockerContainer) Inspect(ctx context.Context, template string) (string, error) {
	return c.docker.Output(ctx, "inspect", "--format", template, c.ID)
}

// Logs is what the container has written so far.
func (c *DockerContainer) Logs(ctx context.Context) string {
	out, err := c.docker.command(ctx, "logs", c.ID).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s(docker logs: %v)", out, err)
	}
	return string(out)
}

// Exec runs a further program in the container and returns its exit status and what it wrote.
func (c *DockerContainer) Exec(ctx context.Context, args ...string) (int, string, error) {
	out, err := c.docker.command(ctx, append([]string{"exec", c.ID}, args...)...).CombinedOutput()
	text := strings.TrimSuffix(string(out), "\n")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), text, nil
	}
	return 0, text, err
}

// Remove ends and removes the container.
func (c *DockerContainer) Remove(ctx context.Context) error {
	_, err := c.docker.Output(ctx, "rm", "--force", "--volumes", c.ID)
	return err
}
