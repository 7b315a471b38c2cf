// Command tools builds pinned engines where the cache lacks them and prints their paths, one a line,
// for scripts: go run ./integration/cmd/tools buildkitd buildctl. Without arguments it lists the names.
// With -debian, the arguments are Debian packages, which it installs where they are missing. With
// -docker-20.10 it fetches that release of the Docker Engine, and with -vulnerabilities DATABASE it runs govulncheck
// on the frontend.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/stagecraft/stagecraft/integration/tools"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tools.EndWithParent()
	names := os.Args[1:]
	if len(names) == 0 {
		for _, name := range tools.Names() {
			fmt.Println(name)
		}
		return
	}
	if names[0] == "-debian" {
		if err := tools.Debian(ctx, names[1:]...); err != nil {
			fmt.Fprintln(os.Stderr, "tools:", err)
			os.Exit(1)
		}
		return
	}
	if names[0] == "-docker-20.10" {
		path, err := tools.DebianDocker(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, "tools:", err)
			os.Exit(1)
		}
		fmt.Println(path)
		return
	}
	if names[0] == "-vulnerabilities" && len(names) == 2 {
		if err := vulnerabilities(ctx, names[1]); err != nil {
			fmt.Fprintln(os.Stderr, "tools:", err)
			os.Exit(1)
		}
		return
	}
	for _, name := range names {
		path, err := tools.Bin(ctx, name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "tools:", err)
			os.Exit(1)
		}
		fmt.Println(path)
	}
}
