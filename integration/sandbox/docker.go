package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// Docker is a running Docker Engine next to a sandbox. It has a network of its own: a loopback interface
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
