package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/sys/signal"
	"github.com/moby/sys/user"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// RunOptions changes how RunImage runs an image.
type RunOptions struct {
	Args []string // instead of the image's CMD
	Env  []string // in addition to the image's, NAME=VALUE
	User string   // instead of the image's
}

// Container is a running container. Its network has a loopback interface only, which Dial and Get
// reach: it meets no other program's ports.
type Container struct {
	name      string
	enclosure *enclosure.Enclosure
	process   *enclosure.Process
	runc      string
	spec      *specs.Spec
	stop      syscall.Signal
	execs     int
}

// RunImage starts a container of an image with runc, as its ENTRYPOINT, CMD, ENV, USER, WORKDIR and
// STOPSIGNAL say. ref is what Sandbox.Image takes. The caller closes the container; should the caller
// be killed, the container ends with it.
func (s *Sandbox) RunImage(ctx context.Context, ref string, opts RunOptions) (*Container, error) {
	image, err := s.Image(ctx, ref)
	if err != nil {
		return nil, err
	}
	c, err := runImage(ctx, image, opts)
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", ref, err)
	}
	return c, nil
}

func runImage(ctx context.Context, image v1.Image, opts RunOptions) (*Container, error) {
	runc, err := tools.Bin(ctx, "runc")
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	e, err := enclosure.New(ctx, enclosure.PrivateNetwork())
	if err != nil {
		return nil, err
	}
	c := &Container{name: "container", enclosure: e, runc: runc}
	if err := c.start(ctx, image, config.Config, opts); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return c, nil
}

// start unpacks the image into a bundle (runtime-spec, bundle.md) and runs it.
func (c *Container) start(ctx context.Context, image v1.Image, config v1.Config, opts RunOptions) error {
	rootfs := filepath.Join(c.enclosure.Dir, "rootfs")
	if err := os.Mkdir(rootfs, 0o755); err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			return err
		}
		_, err = archive.Apply(ctx, rootfs, content)
		content.Close()
		if err != nil {
			return fmt.Errorf("unpacking a layer: %w", err)
		}
	}
	if c.spec, err = bundleSpec(rootfs, c.enclosure.Cgroup, config, opts); err != nil {
		return err
	}
	c.stop = syscall.SIGTERM
	if config.StopSignal != "" {
		if c.stop, err = signal.ParseSignal(config.StopSignal); err != nil {
			return err
		}
	}
	// The file that /etc/hosts is bound from.
	if err := os.WriteFile(filepath.Join(c.enclosure.Dir, "hosts"), []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		return err
	}
	text, err := json.Marshal(c.spec)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.enclosure.Dir, "config.json"), text, 0o600); err != nil {
		return err
	}
	c.process, err = c.enclosure.Start(enclosure.Program{
		Name: c.name, Path: c.runc, Args: []string{"run", "--bundle", c.enclosure.Dir, c.name},
	})
	return err
}

// bundleSpec is what runc is told, with the rights that docker run gives.
func bundleSpec(rootfs, cgroup string, config v1.Config, opts RunOptions) (*specs.Spec, error) {
	args := append([]string{}, config.Entrypoint...)
	if len(opts.Args) > 0 {
		args = append(args, opts.Args...)
	} else {
		args = append(args, config.Cmd...)
	}
	if len(args) == 0 {
		return nil, errors.New("the image has neither an ENTRYPOINT nor a CMD")
	}
	who := config.User
	if opts.User != "" {
		who = opts.User
	}
	account, err := user.GetExecUserPath(who, &user.ExecUser{Home: "/"},
		filepath.Join(rootfs, "etc/passwd"), filepath.Join(rootfs, "etc/group"))
	if err != nil {
		return nil, fmt.Errorf("USER %s: %w", who, err)
	}
	process := &specs.Process{
		Args: args, Cwd: "/",
		Env:  []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + account.Home},
		User: specs.User{UID: uint32(account.Uid), GID: uint32(account.Gid)},
	}
	for _, gid := range account.Sgids {
		process.User.AdditionalGids = append(process.User.AdditionalGids, uint32(gid))
	}
	// The last of two values of a name counts, for runc as for a shell.
	process.Env = append(append(process.Env, config.Env...), opts.Env...)
	if config.WorkingDir != "" {
		process.Cwd = config.WorkingDir
	}
	capabilities := []string{
		"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
		"CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
	}
	process.Capabilities = &specs.LinuxCapabilities{Bounding: capabilities}
	if account.Uid == 0 {
		process.Capabilities.Effective, process.Capabilities.Permitted = capabilities, capabilities
	}
	return &specs.Spec{
		Version: specs.Version,
		Process: process,
		Root:    &specs.Root{Path: "rootfs"},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
			{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
			{Destination: "/etc/hosts", Type: "bind", Source: "hosts", Options: []string{"bind", "ro"}},
		},
		Linux: &specs.Linux{
			CgroupsPath: filepath.Join(cgroup, "container"),
			// No network namespace: the enclosure's is the container's.
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
			},
			MaskedPaths:   []string{"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}, nil
}

// Output is what the container has written so far.
func (c *Container) Output() string {
	text, err := os.ReadFile(c.process.Log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Wait waits for the container's end and returns its exit status.
func (c *Container) Wait(ctx context.Context) (int, error) { return c.process.Wait(ctx) }

// Dial connects to an address in the container's network, such as "127.0.0.1:8080".
func (c *Container) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return c.enclosure.Dial(ctx, network, address)
}

// Get asks the container's HTTP server for a path, such as "/", on a port. Until the server accepts
// connections it asks again; it gives up when the container ends or ctx is over.
func (c *Container) Get(ctx context.Context, port int, path string) (status int, body string, err error) {
	return get(ctx, c.Dial, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), func() error {
		select {
		case <-c.process.Done():
			return fmt.Errorf("the container ended before it answered; it wrote:\n%s", c.Output())
		default:
			return nil
		}
	}, c.Output)
}

// get asks an HTTP server that may be starting still: it asks again until the server accepts a
// connection, running returns an error, or ctx is over. output is what the server has written so far.
func get(ctx context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error), url string, running func() error, output func() string) (status int, body string, err error) {
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, "", err
		}
		response, err := client.Do(request)
		if err == nil {
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			return response.StatusCode, string(text), err
		}
		if ended := running(); ended != nil {
			return 0, "", fmt.Errorf("%s: %w", url, ended)
		}
		select {
		case <-ctx.Done():
			return 0, "", fmt.Errorf("no answer from %s: %w; the container wrote:\n%s", url, err, output())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Exec runs a further program in the container, as docker exec does, and returns its exit status and
// what it wrote.
func (c *Container) Exec(ctx context.Context, args ...string) (int, string, error) {
	c.execs++
	process := *c.spec.Process
	process.Args = args
	text, err := json.Marshal(process)
	if err != nil {
		return 0, "", err
	}
	file := filepath.Join(c.enclosure.Dir, fmt.Sprintf("exec%d.json", c.execs))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return 0, "", err
	}
	p, err := c.enclosure.Start(enclosure.Program{
		Name: "exec", Path: c.runc, Args: []string{"exec", "--process", file, c.name},
	})
	if err != nil {
		return 0, "", err
	}
	code, err := p.Wait(ctx)
	if err != nil {
		return 0, "", err
	}
	output, err := os.ReadFile(p.Log)
	return code, strings.TrimSuffix(string(output), "\n"), err
}

// Stop sends the image's STOPSIGNAL, or SIGTERM, and kills the container when it has not ended after the
// grace period. It returns the exit status.
func (c *Container) Stop(ctx context.Context, grace time.Duration) (int, error) {
	// runc run passes signals on to the container's first process.
	if err := c.process.Stop(ctx, c.stop, grace); err != nil {
		return 0, err
	}
	return c.Wait(ctx)
}

// Close ends the container and removes all it left.
func (c *Container) Close() error { return c.enclosure.Close() }
