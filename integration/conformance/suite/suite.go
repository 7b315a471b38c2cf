//go:build suite

// Package suite holds no code: it names what this module is for, so that go mod tidy keeps the
// requirements. `go test -c` of the first package gives upstream's integration tests, unmodified;
// `go build` of the second gives upstream's own frontend, which the harness measures first.
package suite

import (
	_ "github.com/moby/buildkit/frontend/dockerfile"
	_ "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend"
)
