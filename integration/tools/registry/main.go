// Command registry is distribution's registry with the one storage driver that the tests use. The
// project's own command also has those of three clouds, whose clients are nearly half of what would have
// to be compiled on a fresh machine.
package main

import (
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}
