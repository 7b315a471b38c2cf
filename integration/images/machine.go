package images

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// machine is what stand-ins carry of the machine that they are made on, so that apt, npm and go work
// in a RUN as they do outside: a network that opens TLS connections has its own certificate authority,
// a closed one its own registries. Nothing here leaves the cache and the local registry.
type machine struct {
	// caBundle holds all certificate authorities that the machine trusts, in PEM.
	caBundle string
	// localCAs holds those that an administrator added, by file name: Debian's ca-certificates
	// package makes its bundle again from files when a Dockerfile installs it.
	localCAs map[string]string
	// aptOptions are lines of apt.conf.
	aptOptions string
	// debian is the mirror of the Debian archive, security the one of its security updates.
	debian, security string
	// npmRegistry has no slash at its end.
	npmRegistry string
	// goEnv are those of Go's network settings, NAME=value, that differ from Go's defaults.
	goEnv []string
}

// thisMachine reads the settings once; they do not change while a test runs.
var thisMachine = sync.OnceValues(readMachine)

func readMachine() (machine, error) {
	m := machine{
		localCAs: map[string]string{},
		debian:   tools.DebianMirror(),
		security: "http://deb.debian.org/debian-security",
	}
	var err error
	if m.caBundle, err = readBundle(); err != nil {
		return machine{}, err
	}
	// update-ca-certificates of Debian and Ubuntu reads just these.
	local, err := filepath.Glob("/usr/local/share/ca-certificates/*.crt")
	if err != nil {
		return machine{}, err
	}
	for _, path := range local {
		content, err := os.ReadFile(path)
		if err != nil {
			return machine{}, err
		}
		m.localCAs[filepath.Base(path)] = string(content)
	}
	m.aptOptions = readAptOptions()
	m.npmRegistry = readNpmRegistry()
	m.goEnv = readGoEnv()
	return m, nil
}

// bundles are where the distributions keep the certificates that the machine trusts.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine, Arch
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // openSUSE
}

func readBundle() (string, error) {
	paths := bundles
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		paths = append([]string{file}, bundles...)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if block, _ := pem.Decode(content); block == nil {
			return "", fmt.Errorf("%s holds no certificate", path)
		} else if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		return string(content), nil
	}
	return "", fmt.Errorf("no certificate bundle at %s: install the package ca-certificates", strings.Join(paths, ", "))
}

// aptNames are the options that decide whether the archive can be reached and believed.
var aptNames = []string{
	"Acquire::http::Proxy", "Acquire::https::Proxy",
	// A mirror that serves a fixed day, or a machine whose clock is off, needs these two.
	"Acquire::Check-Valid-Until", "Acquire::Check-Date",
}

// readAptOptions asks this machine's apt; a machine without apt has no options.
func readAptOptions() string {
	out, err := exec.Command("apt-config", "dump", "--format", "%F %v%n").Output()
	if err != nil {
		return ""
	}
	var options strings.Builder
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, wanted := range aptNames {
			if strings.EqualFold(name, wanted) && value != "" {
				fmt.Fprintf(&options, "%s %q;\n", wanted, value)
			}
		}
	}
	return options.String()
}

const npmDefault = "https://registry.npmjs.org"

func readNpmRegistry() string {
	if out, err := exec.Command("npm", "config", "get", "registry").Output(); err == nil {
		if url := strings.TrimSpace(string(out)); strings.HasPrefix(url, "http") {
			return strings.TrimSuffix(url, "/")
		}
	}
	return npmDefault
}

// goDefaults are Go's own values of the settings that say where modules come from.
var goDefaults = map[string]string{
	"GOPROXY": "https://proxy.golang.org,direct", "GOSUMDB": "sum.golang.org",
	"GONOPROXY": "", "GONOSUMDB": "", "GOPRIVATE": "", "GOINSECURE": "",
}

func readGoEnv() []string {
	names := []string{"GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOINSECURE"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return nil
	}
	var env []string
	lines := strings.Split(string(out), "\n")
	for i, name := range names {
		if i < len(lines) && lines[i] != goDefaults[name] {
			env = append(env, name+"="+lines[i])
		}
	}
	return env
}
