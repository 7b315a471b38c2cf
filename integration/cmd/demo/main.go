// Command demo shows the whole way once: it builds our frontend's image, builds an application whose
// Dockerfile names that image in its "# syntax=" line, runs the application, and asks where its bytes come from
// and what its stages are.
//
//	go run ./integration/cmd/demo [FOLDER]
//
// FOLDER holds a Dockerfile and is the build context; without it, examples/go. Where a Docker Engine answers
// (docker.go), the demo is a handful of docker commands that anybody can type, and takes no root. Elsewhere a
// BuildKit is made for it (package standalone). This package imports nothing but the standard library, so that
// with Docker nothing has to be compiled but the frontend.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	folder := filepath.Join("examples", "go")
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	if err := demo(ctx, folder); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, folder string) error {
	version, why := engine(ctx)
	if why == nil {
		d := &dockerDemo{folder: folder, out: os.Stdout, dial: dialPublished}
		fmt.Printf("Docker Engine %s answers: the demo runs there.\n", version)
		return d.run(ctx)
	}
	fmt.Printf("No Docker Engine answers (%v): the demo makes a BuildKit of its own.\n", why)
	if os.Getuid() != 0 {
		return fmt.Errorf("without a Docker Engine the demo starts a BuildKit, which takes root: start Docker, or call make demo as root")
	}
	program, err := exec.LookPath("go")
	if err != nil {
		return err
	}
	// In place of this process, so that whatever ends the demo ends that.
	return syscall.Exec(program, []string{"go", "run", "./integration/cmd/demo/standalone", folder}, os.Environ())
}
