package frontend

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"golang.org/x/sync/errgroup"

	compiler "github.com/stagecraft/stagecraft/llb"
)

// solveWithGates builds the target, and at the same time the stages that must
// succeed for it to count. The first failure cancels the rest, and the result
// is there when all are done. A target without gates is built lazily, as
// docker/dockerfile does it.
func (c *compilation) solveWithGates(ctx context.Context, target *compiler.Compiled) (client.Reference, error) {
	gates := target.Gates()
	if len(gates) == 0 {
		return c.request.solve(ctx, target, false)
	}
	// Compiled before anything runs: an error in a gate is the user's to
	// know at once.
	compiled := make([]*compiler.Compiled, len(gates))
	for i, gate := range gates {
		var err error
		if compiled[i], err = c.compileGate(ctx, gate); err != nil {
			return nil, err
		}
	}
	eg, ctx := errgroup.WithContext(ctx)
	var ref client.Reference
	eg.Go(func() (err error) {
		ref, err = c.request.solve(ctx, target, true)
		return err
	})
	for i, gate := range gates {
		eg.Go(func() error {
			if _, err := c.request.solve(ctx, compiled[i], true); err != nil {
				return errors.WithMessage(err, c.describe(gate))
			}
			return nil
		})
	}
	return ref, eg.Wait()
}

// compileGate compiles a gate as --target would, with a build context of its
// own: what it reads is not what the target reads.
func (c *compilation) compileGate(ctx context.Context, gate compiler.Gate) (*compiler.Compiled, error) {
	g := c.request.compilation(ctx, c.TargetPlatform)
	g.Target = gate.Name
	g.Gate = &gate.Ref
	return g.compile(ctx)
}

// describe says which gate it is, and which instruction requires it.
func (c *compilation) describe(gate compiler.Gate) string {
	src := c.Files.Source(gate.Loc.File)
	place := fmt.Sprintf("%s:%d", src.Name(), gate.Loc.Line())
	if way := c.Files.Way(dockerfile.Loc{File: gate.Loc.File, Ranges: gate.Loc.Ranges}); way != "" {
		place = way
	}
	return fmt.Sprintf("%s has not passed, and --after=%s of stage %s (%s) requires it", gate.Name, gate.Name, gate.By, place)
}
