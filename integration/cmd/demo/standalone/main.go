// Command standalone is the demo of a machine without a Docker Engine: on a BuildKit of its own it builds our
// frontend image, pushes it to a registry, builds an application whose Dockerfile names that image in its
// "# syntax=" line, runs the result and compares its size with the stage that it was built in. Of the engines
// only what this takes is compiled: buildctl is the client, and the registry is part of this program.
//
//	go run ./integration/cmd/demo/standalone FOLDER
//
// FOLDER holds a Dockerfile and is the build context. Everything that is started ends with the command,
// whichever way that ends.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
	"github.com/stagecraft/stagecraft/integration/tools"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tools.EndWithParent()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: standalone FOLDER")
		os.Exit(2)
	}
	folder := os.Args[1]
	if err := demo(ctx, folder); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// answerTimeout bounds the wait for an answer of the application: a Java server takes some seconds, on a
// busy machine a minute.
const answerTimeout = 3 * time.Minute

var steps int

func step(format string, args ...any) {
	steps++
	fmt.Printf("\n%d. %s\n", steps, fmt.Sprintf(format, args...))
}

func demo(ctx context.Context, folder string) (err error) {
	stages, err := sandbox.ReadStages(filepath.Join(folder, "Dockerfile"))
	if err != nil {
		return fmt.Errorf("%s is to be a folder with a Dockerfile: %w", folder, err)
	}
	syntax, err := syntaxLine(filepath.Join(folder, "Dockerfile"))
	if err != nil {
		return err
	}

	step("Start BuildKit and a registry, which BuildKit reads as docker.io's mirror.")
	fmt.Println("   On two cores the first time takes some minutes, in which BuildKit is compiled and, where Docker Hub is out")
	fmt.Println("   of reach, base images are made; later it takes seconds.")
	images := sandbox.WithoutImages()
	if len(stages.Images) > 0 {
		images = sandbox.WithImages(stages.Images...)
	}
	s, err := sandbox.Start(ctx, images, sandbox.Small())
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
	}()
	fmt.Printf("   registry %s, BuildKit %s\n", s.Registry, s.BuildkitAddr)
	if len(stages.Images) > 0 {
		fmt.Printf("   base images: %s (%s)\n", strings.Join(stages.Images, ", "), s.Origin)
	}

	step("Build the frontend's image from this checkout and push it as %s:1.", sandbox.FrontendRepository)
	ref, err := s.FrontendRef(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("   %s\n", ref)

	step("Build %s, whose Dockerfile begins with:", folder)
	fmt.Printf("   %s\n\n", syntax)
	app := s.Registry + "/demo/app:latest"
	if err := build(ctx, s, folder, "--output", "type=image,push=true,name="+app); err != nil {
		return err
	}
	if slices.Contains(stages.Names, "test") {
		step("Build its stage test, which the application's image does without.")
		if err := build(ctx, s, folder, "--opt", "target=test"); err != nil {
			return err
		}
	}

	step("Run the application's image.")
	if err := run(ctx, s, app, sandbox.ReadQuestions(folder)); err != nil {
		return err
	}

	if builder := builderOf(stages); builder != "" {
		step("Compare with the stage it was built in, %s.", builder)
		big := s.Registry + "/demo/builder:latest"
		if err := build(ctx, s, folder, "--opt", "target="+builder, "--output", "type=image,push=true,name="+big); err != nil {
			return err
		}
		if err := compare(ctx, s, app, big, builder); err != nil {
			return err
		}
	}

	step("Ask the frontend for the graph of the stages, as docker buildx build --call=graph does.")
	return build(ctx, s, folder, "--opt", "requestid=frontend.graph")
}

// syntaxLine returns the directive that names the frontend. Without one BuildKit would read the file
// with its own frontend, which is an error here.
func syntaxLine(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if !strings.HasPrefix(first, "# syntax="+sandbox.FrontendRepository) {
		return "", fmt.Errorf("%s begins with %q, not with # syntax=%s:1", path, first, sandbox.FrontendRepository)
	}
	return first, nil
}

// build calls buildctl with its output on ours: what it prints is BuildKit's own progress.
func build(ctx context.Context, s *sandbox.Sandbox, folder string, options ...string) error {
	args := append([]string{"build", "--frontend", "dockerfile.v0", "--local", "context=" + folder, "--local", "dockerfile=" + folder}, options...)
	cmd := s.Buildctl(args...)
	fmt.Printf("   $ buildctl %s\n", strings.Join(args, " "))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(os.Interrupt) })
	defer stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("buildctl build %s: %w", folder, err)
	}
	return nil
}

// run runs the image and prints what it answers on its exposed port, or all that it prints where it
// exposes none. It is asked for the paths that its README names, else for "/", where an answer of any
// status will do.
func run(ctx context.Context, s *sandbox.Sandbox, ref string, paths []string) (err error) {
	image, err := s.Image(ctx, ref)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	c, err := s.RunImage(ctx, ref, sandbox.RunOptions{})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := c.Close(); err == nil {
			err = closeErr
		}
	}()
	var ports []int
	for port := range config.Config.ExposedPorts {
		number, protocol, _ := strings.Cut(port, "/")
		if n, err := strconv.Atoi(number); err == nil && protocol != "udp" {
			ports = append(ports, n)
		}
	}
	if len(ports) == 0 {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		code, err := c.Wait(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n   exit status %d\n", indent(c.Output()), code)
		return nil
	}
	slices.Sort(ports)
	promised := len(paths) > 0
	if !promised {
		paths = []string{"/"}
	}
	for _, path := range paths {
		status, body, err := get(ctx, c, ports[0], path)
		if err != nil {
			return err
		}
		fmt.Printf("   GET http://localhost:%d%s answers with status %d:\n\n%s\n", ports[0], path, status, indent(body))
		if promised && status >= 400 {
			return fmt.Errorf("the README has %s answered, the application did not; it wrote:\n%s", path, c.Output())
		}
	}
	_, err = c.Stop(ctx, 10*time.Second)
	return err
}

func get(ctx context.Context, c *sandbox.Container, port int, path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return c.Get(ctx, port, path)
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

// builderOf returns the stage that the last stage is built in: the last one that it copies from, or one
// that is called so.
func builderOf(stages sandbox.Stages) string {
	for _, name := range []string{"builder", "build"} {
		if slices.Contains(stages.CopiedFrom, name) {
			return name
		}
	}
	if n := len(stages.CopiedFrom); n > 0 {
		return stages.CopiedFrom[n-1]
	}
	return ""
}

func compare(ctx context.Context, s *sandbox.Sandbox, app, big, builder string) error {
	var packed, unpacked [2]int64
	for i, ref := range []string{app, big} {
		image, err := s.Image(ctx, ref)
		if err != nil {
			return err
		}
		if packed[i], unpacked[i], err = sandbox.ImageSize(image); err != nil {
			return err
		}
	}
	const mb = 1e6
	width := max(len(builder)+6, len("the application's image"))
	fmt.Printf("\n   %-*s  %9s  %9s\n", width, "", "pushed", "unpacked")
	fmt.Printf("   %-*s  %6.1f MB  %6.1f MB\n", width, "stage "+builder, float64(packed[1])/mb, float64(unpacked[1])/mb)
	fmt.Printf("   %-*s  %6.1f MB  %6.1f MB\n", width, "the application's image", float64(packed[0])/mb, float64(unpacked[0])/mb)
	fmt.Printf("   %-*s  %7.1f %%  %7.1f %%\n", width, "that is", 100*float64(packed[0])/float64(packed[1]), 100*float64(unpacked[0])/float64(unpacked[1]))
	return nil
}
