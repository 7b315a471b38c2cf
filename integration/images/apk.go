package images

import (
	"context"
	"fmt"
)

// apkLayer is the repository that apk of the stand-in for Alpine Linux installs from, without a network:
// compressed archives of git, curl and what else recipes/apk-packages.sh names. Images on top of the
// stand-in, such as node:20-alpine, are made without it.
func apkLayer(m machine, debian *layer) *layer {
	return &layer{
		name:   "alpine-packages",
		uses:   []*layer{debian},
		inputs: []string{recipe("apk-packages.sh"), fmt.Sprint(alpineLibraries)},
		make: func(ctx context.Context, s *site) error {
			scratch, err := s.scratchDebian(ctx, debian)
			if err != nil {
				return err
			}
			return s.apt(ctx, m, scratch, s.root, recipe("apk-packages.sh"), alpineLibraries...)
		},
	}
}
