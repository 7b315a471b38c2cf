package images

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// hellofsFiles are the module in the folder hellofs.
var hellofsFiles = []string{"go.mod", "go.sum", "main.go"}

// hellofsLayer is the whole of tonistiigi/hellofs: one static program that mounts a file system of its
// own with FUSE. It fails where the working folder is outside a checkout, which has the program's source.
func hellofsLayer() (*layer, error) {
	root, err := tools.Root()
	if err != nil {
		return nil, err
	}
	source := filepath.Join(root, "integration", "images", "hellofs")
	var inputs []string
	for _, name := range hellofsFiles {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, string(text))
	}
	return &layer{
		name:   "hellofs",
		inputs: inputs,
		make: func(ctx context.Context, s *site) error {
			cmd := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
				"-o", filepath.Join(s.root, "hellofs"), ".")
			cmd.Dir = source
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS=linux", "GOARCH=amd64")
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("go build: %w\n%s", err, strings.TrimSpace(string(out)))
			}
			return nil
		},
	}, nil
}

var hellofsConfig = v1.Config{Env: []string{pathOfDebian}}
