package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// frontendImage is what the examples' syntax lines name. An engine takes an image of its own store for it.
const frontendImage = "stagecraft/stagecraft:1"

// Names of what the demo makes in the engine and removes again.
const (
	appImage     = "stagecraft-demo"
	builderImage = "stagecraft-demo-builder"
)

// engine returns the version of the Docker Engine that the docker command reaches, or why there is none.
func engine(ctx context.Context) (version string, why error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return "", errors.New("there is no docker command")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}")
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		return "", errors.New(strings.TrimSpace(lines[len(lines)-1]))
	}
	return strings.TrimSpace(string(out)), nil
}

// dockerDemo is the demo on a Docker Engine.
type dockerDemo struct {
	folder string
	out    io.Writer
	env    []string // of docker commands; nil is this process's
	// dial connects to a port that the engine has published, such as "127.0.0.1:49153".
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	steps int
}

// run builds the frontend's image and an application with it, runs that, and shows its stages. Of what it makes
// in the engine it leaves the frontend's image and the build cache.
func (d *dockerDemo) run(ctx context.Context) (err error) {
	names, syntax, err := readDockerfile(d.folder)
	if err != nil {
		return err
	}
	if err := d.ownBuilder(ctx); err != nil {
		return err
	}
	d.step("Build the frontend's image from this checkout. The first time it downloads modules and compiles for about a minute.")
	args := []string{"build", "--tag", frontendImage}
	if os.Getenv("GOPROXY") != "" {
		args = append(args, "--build-arg", "GOPROXY") // with the value that it has here
	}
	if err := d.show(ctx, append(args, ".")...); err != nil {
		return err
	}
	d.step("Build %s, whose Dockerfile begins with %s. The first time it pulls its base images.", d.folder, syntax)
	defer func() { err = errors.Join(err, d.tidy()) }()
	if err := d.show(ctx, "build", "--tag", appImage, d.folder); err != nil {
		return err
	}
	if names["test"] {
		d.step("Build its stage test, which the application's image does without.")
		if err := d.show(ctx, "build", "--target", "test", "--tag", builderImage, d.folder); err != nil {
			return err
		}
	}
	d.step("Run the application's image.")
	if err := d.runApp(ctx); err != nil {
		return err
	}
	for _, name := range []string{"builder", "build"} {
		if names[name] {
			if err := d.compare(ctx, name); err != nil {
				return err
			}
			break
		}
	}
	d.step("Ask for the graph of the stages.")
	return d.show(ctx, "buildx", "build", "--call=graph", d.folder)
}

func (d *dockerDemo) step(format string, args ...any) {
	d.steps++
	fmt.Fprintf(d.out, "\n%d. %s\n", d.steps, fmt.Sprintf(format, args...))
}

// ownBuilder selects the engine's own builder. A builder in a container does not see the engine's images, so
// that it would look for the frontend in a registry.
func (d *dockerDemo) ownBuilder(ctx context.Context) error {
	name, err := d.docker(ctx, "context", "show").Output()
	if err != nil {
		name = []byte("default") // an old client has no contexts
	}
	if d.env == nil {
		d.env = os.Environ()
	}
	d.env = append(d.env, "DOCKER_BUILDKIT=1", "BUILDX_BUILDER="+strings.TrimSpace(string(name)))
	return nil
}

func (d *dockerDemo) docker(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = d.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

// show runs a docker command as a person would, with its output on ours.
func (d *dockerDemo) show(ctx context.Context, args ...string) error {
	fmt.Fprintf(d.out, "   $ docker %s\n", strings.Join(args, " "))
	cmd := d.docker(ctx, args...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("docker %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// output returns what a docker command prints on standard output.
func (d *dockerDemo) output(ctx context.Context, args ...string) (string, error) {
	var complaint bytes.Buffer
	cmd := d.docker(ctx, args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// answerTimeout bounds the wait for an answer of the application: a Java server takes some seconds, on a
// busy machine a minute.
const answerTimeout = 3 * time.Minute

// runApp runs the application and prints what it answers on its published port, or all that it prints where it
// exposes none. It is asked for the paths that its README names, else for "/".
func (d *dockerDemo) runApp(ctx context.Context) (err error) {
	exposed, err := d.output(ctx, "image", "inspect", "--format", "{{range $port, $_ := .Config.ExposedPorts}}{{$port}} {{end}}", appImage)
	if err != nil {
		return err
	}
	if exposed == "" {
		return d.show(ctx, "run", "--rm", appImage)
	}
	id, err := d.output(ctx, "run", "--detach", "--publish", "127.0.0.1::"+strings.Fields(exposed)[0], appImage)
	if err != nil {
		return err
	}
	defer func() {
		_, stopErr := d.output(context.WithoutCancel(ctx), "rm", "--force", id)
		err = errors.Join(err, stopErr)
	}()
	address, err := d.output(ctx, "port", id, strings.Fields(exposed)[0])
	if err != nil {
		return err
	}
	address, _, _ = strings.Cut(address, "\n")
	paths := readQuestions(d.folder)
	promised := len(paths) > 0
	if !promised {
		paths = []string{"/"}
	}
	for _, path := range paths {
		status, body, err := d.get(ctx, "http://"+address+path)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "   GET http://%s%s answers with status %d:\n\n%s\n", address, path, status, indent(body))
		if promised && status >= 400 {
			return fmt.Errorf("the README of %s has %s answered; the application answers with status %d", d.folder, path, status)
		}
	}
	return nil
}

// get asks until there is an answer.
func (d *dockerDemo) get(ctx context.Context, url string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DialContext: d.dial, DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, "", err
		}
		resp, err := client.Do(req)
		if err == nil {
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			return resp.StatusCode, string(text), err
		}
		select {
		case <-ctx.Done():
			return 0, "", fmt.Errorf("the application does not answer: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// dialPublished connects to a port that an engine has published on its own loopback interface: that of this
// machine, unless DOCKER_HOST names another.
func dialPublished(ctx context.Context, network, address string) (net.Conn, error) {
	if host, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "tcp://"); ok {
		if name, _, err := net.SplitHostPort(host); err == nil && name != "localhost" && !net.ParseIP(name).IsLoopback() {
			return nil, fmt.Errorf("the Docker Engine is on %s, where the port is published on its own loopback interface only", name)
		}
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// compare shows the size of the application's image next to that of the stage that it was built in.
func (d *dockerDemo) compare(ctx context.Context, builder string) error {
	d.step("Compare with the stage it was built in, %s.", builder)
	if err := d.show(ctx, "build", "--quiet", "--target", builder, "--tag", builderImage, d.folder); err != nil {
		return err
	}
	var sizes [2]float64
	for i, image := range []string{appImage, builderImage} {
		text, err := d.output(ctx, "image", "inspect", "--format", "{{.Size}}", image)
		if err != nil {
			return err
		}
		if sizes[i], err = strconv.ParseFloat(text, 64); err != nil {
			return err
		}
	}
	fmt.Fprintf(d.out, "\n   stage %s: %.1f MB, the application's image: %.1f MB, %.1f %% of that\n",
		builder, sizes[1]/1e6, sizes[0]/1e6, 100*sizes[0]/sizes[1])
	return nil
}

// tidy removes the images of the application and says what stays.
func (d *dockerDemo) tidy() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, image := range []string{appImage, builderImage} {
		// Missing where the demo did not come that far.
		_, _ = d.output(ctx, "image", "rm", "--force", image)
	}
	fmt.Fprintf(d.out, "\nOf all this the engine keeps the image %s, the base images and the build cache. To remove them:\n"+
		"   $ docker image rm %s\n   $ docker builder prune\n", frontendImage, frontendImage)
	return nil
}

var stageName = regexp.MustCompile(`(?mi)^FROM\s.*\sAS\s+(\S+)\s*$`)

// readDockerfile returns the names of the stages in a folder's Dockerfile and its syntax line, which has to name
// our frontend: without one Docker would read the file with its own.
func readDockerfile(folder string) (names map[string]bool, syntax string, err error) {
	text, err := os.ReadFile(filepath.Join(folder, "Dockerfile"))
	if err != nil {
		return nil, "", fmt.Errorf("%s is to be a folder with a Dockerfile: %w", folder, err)
	}
	syntax, _, _ = strings.Cut(string(text), "\n")
	if strings.TrimSpace(syntax) != "# syntax="+frontendImage {
		return nil, "", fmt.Errorf("%s begins with %q; for the demo it has to begin with # syntax=%s", filepath.Join(folder, "Dockerfile"), syntax, frontendImage)
	}
	names = map[string]bool{}
	for _, found := range stageName.FindAllStringSubmatch(string(text), -1) {
		names[strings.ToLower(found[1])] = true
	}
	return names, strings.TrimSpace(syntax), nil
}

// question is a call in a README that asks an application which runs on the reader's machine.
var question = regexp.MustCompile(`(?m)^ +curl '?http://localhost:\d+(/[^'\s]*)'?$`)

// readQuestions returns the paths that the README.md in a folder tells its reader to ask the application for.
func readQuestions(folder string) []string {
	text, _ := os.ReadFile(filepath.Join(folder, "README.md")) // a folder without one has no questions
	var paths []string
	for _, call := range question.FindAllStringSubmatch(string(text), -1) {
		paths = append(paths, call[1])
	}
	return paths
}

// bodyLimit is how many lines of an answer are shown: a page can be long.
const bodyLimit = 20

func indent(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > bodyLimit {
		lines = append(lines[:bodyLimit], fmt.Sprintf("… %d more lines", len(lines)-bodyLimit))
	}
	return "      " + strings.Join(lines, "\n      ")
}
