package images

import (
	"context"
	"os"
	"path/filepath"

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
			return tools.Go(ctx, source, s.dir, []string{"GOARCH=amd64"}, "build", "-mod=readonly", "-trimpath",
				"-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(s.root, "hellofs"), ".")
		},
	}, nil
}

var hellofsConfig = v1.Config{Env: []string{pathOfDebian}}
