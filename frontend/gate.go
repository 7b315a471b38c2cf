package frontend

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/llb/crash"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"google.golang.org/grpc/codes"

	compiler "github.com/stagecraft/stagecraft/llb"
)

// solveWithGates builds the target, and at the same time the stages that must
// succeed for it to count. The first failure cancels the rest, and the result
// is there when all are done. A target without gates is built lazily, as
// docker/dockerfile does it.
func (c *compilation) solveWithGates(ctx context.Context, target *compiled) (client.Reference, error) {
	gates := compiler.Gates(target.Plan)
	if len(gates) == 0 && c.request.lock == nil {
		return target.solve(ctx, false)
	}
	ref, _, err := c.solveNow(ctx, target)
	return ref, c.request.explainLock(ctx, target, err)
}

// solveNow builds the target and its gates, and returns these as they were
// compiled, too.
func (c *compilation) solveNow(ctx context.Context, target *compiled) (client.Reference, []*compiled, error) {
	gates := compiler.Gates(target.Plan)
	stages, err := c.compileGates(ctx, gates)
	if err != nil {
		return nil, nil, err
	}
	ref, err := c.solveAll(ctx, target, gates, stages)
	return ref, stages, err
}

// compileGates compiles gates before anything runs: an error in a gate is the
// user's to know at once.
func (c *compilation) compileGates(ctx context.Context, gates []compiler.Gate) ([]*compiled, error) {
	stages := make([]*compiled, len(gates))
	for i, gate := range gates {
		var err error
		if stages[i], err = c.compileGate(ctx, gate); err != nil {
			return nil, errors.WithMessagef(err, "--after=%s of stage %s (%s)", gate.Name, gate.By, c.place(gate))
		}
	}
	return stages, nil
}

// solveAll builds the target and its gates.
func (c *compilation) solveAll(ctx context.Context, target *compiled, gates []compiler.Gate, stages []*compiled) (client.Reference, error) {
	var (
		all       sync.WaitGroup
		ref       client.Reference
		targetErr error
		gateRefs  = make([]client.Reference, len(gates))
		gateErrs  = make([]error, len(gates))
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all.Go(func() {
		ref, targetErr = crash.Guard(func() (client.Reference, error) { return target.solve(ctx, true) })
		if targetErr != nil {
			cancel()
		}
	})
	for i := range gates {
		all.Go(func() {
			gateRefs[i], gateErrs[i] = crash.Guard(func() (client.Reference, error) { return stages[i].solve(ctx, true) })
			if gateErrs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	c.passed = gateRefs
	return ref, c.outcome(targetErr, gates, gateErrs)
}

// gate prepares the compilation of a gate: as --target would, with a build
// context of its own, since what it reads is not what the target reads.
func (c *compilation) gate(ctx context.Context, gate compiler.Gate) *compilation {
	return c.request.compilation(ctx, gateway.Goal{Platform: c.goal.Platform, Gate: &gate})
}

func (c *compilation) compileGate(ctx context.Context, gate compiler.Gate) (*compiled, error) {
	g := c.gate(ctx, gate)
	if c.warned != nil {
		g.warning(c.report, c.warned)
		defer func() { maps.Copy(c.warned, g.warned) }()
	}
	return g.compileToBuild(ctx)
}

// outcome is the one error for what failed of the target and its gates, nil
// where all succeeded. What was only canceled because of another is not
// mentioned.
func (c *compilation) outcome(target error, gates []compiler.Gate, failed []error) error {
	var report failures
	if target != nil && !canceled(target) {
		// Gates that fail for the same reason have nothing to add.
		report.add("", target)
	}
	for i, err := range failed {
		if err != nil && !canceled(err) {
			report.add(c.describe(gates[i]), err)
		}
	}
	if len(report) > 0 {
		return report.err()
	}
	// The client gave up.
	for _, err := range append([]error{target}, failed...) {
		if err != nil {
			return err
		}
	}
	return nil
}

func canceled(err error) bool {
	return errors.Is(err, context.Canceled) || grpcerrors.Code(err) == codes.Canceled
}

// failures are what failed at the same time, each cause once.
type failures []failure

type failure struct {
	who   []string
	cause error
}

func (f *failures) add(who string, cause error) {
	for i := range *f {
		if known := &(*f)[i]; known.cause.Error() == cause.Error() {
			if known.who != nil {
				known.who = append(known.who, who)
			}
			return
		}
	}
	added := failure{cause: cause}
	if who != "" {
		added.who = []string{who}
	}
	*f = append(*f, added)
}

// err has the text and the code frames of all.
func (f failures) err() error {
	var texts []string
	for _, one := range f {
		text := one.cause.Error()
		if one.who != nil {
			text = strings.Join(one.who, "; ") + ": " + text
		}
		texts = append(texts, text)
	}
	var err error = &joined{error: f[0].cause, text: strings.Join(texts, "; also: ")}
	for _, other := range f[1:] {
		for _, src := range errdefs.Sources(other.cause) {
			err = errdefs.WithSource(err, src)
		}
	}
	return err
}

// joined is an error with another text.
type joined struct {
	error
	text string
}

func (e *joined) Error() string { return e.text }
func (e *joined) Unwrap() error { return e.error }

// describe says which gate it is, and which instruction requires it.
func (c *compilation) describe(gate compiler.Gate) string {
	return fmt.Sprintf("stage %s failed and is required by --after=%s of stage %s (%s)", gate.Name, gate.Name, gate.By, c.place(gate))
}

// place returns the FROM that requires a gate.
func (c *compilation) place(gate compiler.Gate) string {
	if way := c.Files.Way(dockerfile.Loc{File: gate.Loc.File, Ranges: gate.Loc.Ranges}); way != "" {
		return way
	}
	return fmt.Sprintf("%s:%d", c.Files.Source(gate.Loc.File).Name(), gate.Loc.Line())
}
