package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"

	"github.com/stagecraft/stagecraft/integration/tools"
)

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

// build names the programs of a release by their paths, which change with them.
func (p dockerPrograms) build() string {
	sum := sha256.Sum256([]byte(p.dockerd + "\n" + p.containerd))
	return hex.EncodeToString(sum[:])[:16]
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
