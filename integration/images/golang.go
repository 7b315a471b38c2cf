package images

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// golangLayer is what golang:VERSION-alpine has on top of alpine: the Go distribution itself, which the
// module proxy serves as the module golang.org/toolchain, and an empty GOPATH. version is without "go".
func golangLayer(version string) *layer {
	return &layer{
		name:   "go-" + version,
		inputs: []string{version, "layout 1"},
		make: func(ctx context.Context, s *site) error {
			module := "golang.org/toolchain@v0.0.1-go" + version + ".linux-amd64"
			archive, err := moduleZip(ctx, s.dir, module)
			if err != nil {
				return err
			}
			goroot := filepath.Join(s.root, "usr/local/go")
			if err := unzipToolchain(archive, module+"/", goroot); err != nil {
				return err
			}
			return s.folders("go:1777", "go/src:1777", "go/bin:1777")
		},
	}
}

// moduleZip returns the path of a module's archive in Go's module cache, downloaded and checked
// against the checksum database by the go command.
func moduleZip(ctx context.Context, dir, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = dir // outside any module, whose go.mod would have a say
	// The database is consulted for toolchains even where GONOSUMDB and the like name other modules.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	var got struct{ Zip, Error string }
	if err := errors.Join(json.Unmarshal(out, &got)); err != nil {
		return "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	if got.Error != "" || got.Zip == "" {
		return "", fmt.Errorf("go mod download %s: %s", module, got.Error)
	}
	return got.Zip, err
}

// unzipToolchain unpacks the files of a toolchain module, whose names in the archive begin with
// prefix, as the go command does when it switches to one: the format allows neither nested go.mod
// files nor executable bits, so both are restored here.
func unzipToolchain(archive, prefix, goroot string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, file := range r.File {
		name, ok := strings.CutPrefix(file.Name, prefix)
		if !ok || !filepath.IsLocal(name) {
			return fmt.Errorf("unexpected name %q in %s", file.Name, archive)
		}
		if path.Base(name) == "_go.mod" {
			name = path.Join(path.Dir(name), "go.mod")
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/") || strings.HasSuffix(name, ".bash") {
			mode = 0o755
		}
		if err := extract(file, filepath.Join(goroot, name), mode); err != nil {
			return err
		}
	}
	return nil
}

func extract(file *zip.File, dest string, mode os.FileMode) error {
	r, err := file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return err
	}
	w, err := os.OpenFile(dest, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close(), os.Chmod(dest, mode), os.Chtimes(dest, file.Modified, file.Modified))
}

func golangConfig(m machine, version string) v1.Config {
	return v1.Config{
		Env: append([]string{
			"PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"GOLANG_VERSION=" + version,
			"GOTOOLCHAIN=local",
			"GOPATH=/go",
		}, m.goEnv...),
		Cmd:        []string{"/bin/sh"},
		WorkingDir: "/go",
	}
}
