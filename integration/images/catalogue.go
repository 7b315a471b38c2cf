package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// standIn says of what an image made here consists.
type standIn struct {
	names  []string // on Docker Hub, such as "library/busybox:latest"
	layers []*layer // lowest first
	// foreign are variants for architectures whose programs this machine cannot run.
	foreign []variant
	config  v1.Config
	about   string // what it is made from; written into the image's history
}

type variant struct {
	arch   string
	layers []*layer
}

// all lists the layers of all variants.
func (s standIn) all() []*layer {
	layers := s.layers[:len(s.layers):len(s.layers)]
	for _, v := range s.foreign {
		layers = append(layers, v.layers...)
	}
	return layers
}

// catalogue lists all stand-ins. Layers are shared between them, so its values are good for one Ensure.
func catalogue(m machine) ([]standIn, error) {
	hellofs, err := hellofsLayer()
	if err != nil {
		return nil, err
	}
	var (
		debian  = debianLayer(m)
		program = busyboxProgram(m, debian)
		foreign = busyboxForeign(m, debian, "arm64")
		alpine  = alpineLayer(m, "amd64", debian, program, program)
		node    = nodeLayer(m)
		// The machine's settings lie on top, so that a new certificate does not make all again.
		onDebian = m.layer("machine-debian", true)
		onAlpine = m.layer("machine-alpine", false)
	)
	all := []standIn{
		{
			names:   []string{"library/debian:12-slim", "library/debian:bookworm-slim", "library/debian:12", "library/debian:latest"},
			layers:  []*layer{debian, onDebian},
			foreign: []variant{{"arm64", []*layer{debianForeign(m, "arm64"), onDebian}}},
			config:  v1.Config{Env: []string{pathOfDebian}, Cmd: []string{"bash"}},
			about:   "debootstrap of Debian 12",
		},
		{
			names:   []string{"library/busybox:latest", "library/busybox:1.36", "library/busybox:stable", "library/busybox:stable-musl"},
			layers:  []*layer{busyboxLayer("amd64", program, program)},
			foreign: []variant{{"arm64", []*layer{busyboxLayer("arm64", foreign, program)}}},
			config:  busyboxConfig,
			about:   "Debian's source of BusyBox",
		},
		{
			names:   []string{"library/alpine:3.19", "library/alpine:latest"},
			layers:  []*layer{alpine, apkLayer(m, debian), onAlpine},
			foreign: []variant{{"arm64", []*layer{alpineLayer(m, "arm64", debian, foreign, program), onAlpine}}},
			config:  alpineConfig,
			about:   "BusyBox and libraries from Debian 12",
		},
		{
			names:  []string{"library/golang:1.22-alpine"},
			layers: []*layer{alpine, golangLayer(go122), onAlpine},
			config: golangConfig(m, go122),
			about:  "Go " + go122 + " on the stand-in for Alpine Linux",
		},
		{
			names:  []string{"library/node:20"},
			layers: []*layer{debian, nodeOnDebian(m, debian), node, onDebian},
			config: nodeConfig,
			about:  "Node.js " + nodeProgram.version + " from the npm registry on Debian 12",
		},
		{
			names:  []string{"library/node:20-alpine"},
			layers: []*layer{alpine, nodeOnAlpine(alpine), node, onAlpine},
			config: nodeConfig,
			about:  "Node.js " + nodeProgram.version + " from the npm registry on the stand-in for Alpine Linux",
		},
		{
			names:  []string{"library/maven:3.9-eclipse-temurin-21"},
			layers: []*layer{debian, mavenLayer(m, debian), onDebian},
			config: mavenConfig,
			about:  "Maven 3.8 and OpenJDK 17 of Debian 12",
		},
		{
			names:  []string{"library/eclipse-temurin:21-jre-alpine"},
			layers: []*layer{alpine, javaRuntimeLayer(m, debian, alpine), onAlpine},
			config: javaRuntimeConfig,
			about:  "OpenJDK 17 of Debian 12 on the stand-in for Alpine Linux",
		},
		{
			names:  []string{"library/python:3.12-slim"},
			layers: []*layer{debian, pythonLayer(m, debian), onDebian},
			config: pythonConfig,
			about:  "Python 3.11 of Debian 12",
		},
		{
			names:  []string{"library/rust:1.76"},
			layers: []*layer{debian, rustLayer(m, debian), onDebian},
			config: rustConfig,
			about:  "Rust of Debian 12 (rustc-web)",
		},
		{
			names:  []string{"library/nginx:1.25-alpine"},
			layers: []*layer{alpine, nginxLayer(m, debian, alpine), onAlpine},
			config: nginxConfig,
			about:  "nginx 1.22 of Debian 12 on the stand-in for Alpine Linux",
		},
		{
			names:  []string{"tonistiigi/hellofs:latest"},
			layers: []*layer{hellofs},
			config: hellofsConfig,
			about:  "a program with the library go-fuse",
		},
	}
	if version, ok := goHere(); ok {
		all = append(all, standIn{
			names:  golangNames(version),
			layers: []*layer{alpine, golangLayer(version), onAlpine},
			config: golangConfig(m, version),
			about:  "Go " + version + " on the stand-in for Alpine Linux",
		})
	}
	return all, nil
}

// basic are the images that Ensure makes when none is named.
func basic() []string {
	names := []string{
		"library/debian:12-slim", "library/busybox:latest", "library/alpine:3.19", "library/alpine:latest",
		"library/golang:1.22-alpine", "library/node:20", "library/node:20-alpine",
	}
	if version, ok := goHere(); ok {
		names = append(names, golangNames(version)[:2]...)
	}
	return names
}

const go122 = "1.22.12"

// goHere is the version of the Go that this program was built with, unless it is not a release.
func goHere() (version string, ok bool) {
	match := regexp.MustCompile(`^go(\d+\.\d+\.\d+)( |$)`).FindStringSubmatch(runtime.Version())
	if match == nil {
		return "", false
	}
	return match[1], true
}

// golangNames are the tags of a version, such as golang:1.26-alpine.
func golangNames(version string) []string {
	minor := version[:strings.LastIndex(version, ".")]
	return []string{"library/golang:alpine", "library/golang:" + minor + "-alpine", "library/golang:" + version + "-alpine"}
}

// find returns the stand-in of a name.
func find(all []standIn, name string) (standIn, error) {
	var known []string
	for _, s := range all {
		for _, n := range s.names {
			if n == name {
				return s, nil
			}
			known = append(known, strings.TrimPrefix(n, "library/"))
		}
	}
	sort.Strings(known)
	return standIn{}, fmt.Errorf("no stand-in for %s, and Docker Hub does not answer; there are %s",
		name, strings.Join(known, ", "))
}

// layer holds the settings of the machine that images need to reach the network as it does.
func (m machine) layer(name string, apt bool) *layer {
	files := map[string]string{"etc/ssl/certs/ca-certificates.crt": m.caBundle}
	for file, cert := range m.localCAs {
		files["usr/local/share/ca-certificates/"+file] = cert
	}
	if apt && m.aptOptions != "" {
		files["etc/apt/apt.conf.d/99machine"] = m.aptOptions
	}
	return &layer{
		name:   name,
		inputs: []string{fmt.Sprint(apt), fmt.Sprint(files)},
		make: func(ctx context.Context, s *site) error {
			if err := s.files(files); err != nil {
				return err
			}
			if apt {
				return nil
			}
			// Where Alpine's programs look.
			return os.Symlink("certs/ca-certificates.crt", filepath.Join(s.root, "etc/ssl/cert.pem"))
		},
	}
}
