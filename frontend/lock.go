package frontend

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/lock"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

const optionLock = "LOCK"

// lockFile returns the name of the lock file.
func (r *request) lockFile() string { return cmp.Or(r.option(optionLock), lock.FileName) }

// readLock reads the lock file.
func (r *request) readLock(ctx context.Context, root dockerfile.Root) (*lock.Lock, error) {
	file := r.lockFile()
	data, err := r.ReadFile(ctx, root, file)
	if err != nil {
		return nil, errors.WithMessagef(err, "%s cannot be read; write it with docker buildx build --call=lock . > %s", file, file)
	}
	doc, err := lock.Read(data)
	return &lock.Lock{Document: doc, File: file}, errors.WithMessage(err, file)
}

// useLock has the build keep to the lock that the client names, if it does.
// The questions about the lock itself are asked without it.
func (r *request) useLock(ctx context.Context) (err error) {
	if r.option(optionLock) == "" || strings.HasPrefix(r.opts["requestid"], "frontend.lock") {
		return nil
	}
	if r.lock, err = r.readLock(ctx, dockerfile.BesideDockerfile); err == nil {
		r.Session.Pin = r.lock.Pin
	}
	return err
}

// pinned returns an image's reference with the digest of the lock, where there is
// one. What the lock lacks is refused where it is looked up.
func (r *request) pinned(ref string, _ dockerfile.Loc) string {
	if r.lock == nil {
		return ref
	}
	if pinned, err := r.lock.Pin(ref); err == nil {
		return pinned
	}
	return ref
}

// checkLock is an error where a definition fetches something that the lock
// has not, or other content.
func (r *request) checkLock(ctx context.Context, c *compiled) error {
	if r.lock == nil {
		return nil
	}
	fetches, err := r.fetches(ctx, c)
	if err != nil {
		return err
	}
	return r.lock.Check(fetches)
}

// explainLock locates an error about content that the lock does not have.
func (r *request) explainLock(ctx context.Context, c *compiled, err error) error {
	if err == nil || r.lock == nil {
		return err
	}
	fetches, unknown := r.fetches(ctx, c)
	if unknown != nil {
		return err
	}
	return r.lock.Explain(err, fetches)
}

// fetches returns what a goal fetches.
func (r *request) fetches(ctx context.Context, c *compiled) ([]lock.Fetch, error) {
	def, err := c.definition(ctx)
	if err != nil {
		return nil, err
	}
	own, err := r.OwnSources(ctx)
	if err != nil {
		return nil, err
	}
	return lock.Fetches(def, func(op *pb.SourceOp) bool { return own[op.Identifier] })
}

// lockDocument looks up all that the target and its gates are made from, for
// all platforms, and the image of the frontend.
func (r *request) lockDocument(ctx context.Context) (*lock.Document, error) {
	list, err := r.frontendImage(ctx)
	if err != nil {
		return nil, err
	}
	for _, goal := range r.goals() {
		c := r.compilation(ctx, goal)
		found, target, err := r.lockGoal(ctx, c)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
		for _, gate := range compiler.Gates(target.Plan) {
			found, _, err := r.lockGoal(ctx, c.gate(ctx, gate))
			if err != nil {
				return nil, err
			}
			list = append(list, found...)
		}
	}
	return lock.New(list)
}

// lockGoal looks up what one goal is made from.
func (r *request) lockGoal(ctx context.Context, c *compilation) ([]lock.Source, *compiled, error) {
	record := lock.Record(c.Sources)
	c.Sources = record
	target, err := c.compile(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, err := record.Found(func(ref string) []string { return c.usersOf(target.Plan.Graph, ref) })
	if err != nil {
		return nil, nil, err
	}
	fetches, err := r.fetches(ctx, target)
	if err != nil {
		return nil, nil, err
	}
	for i := range fetches {
		dgst, err := r.fetchDigest(ctx, c, &fetches[i])
		if err != nil {
			return nil, nil, err
		}
		list = append(list, fetches[i].Source(dgst))
	}
	return list, target, nil
}

// usersOf returns the places that name an image.
func (c *compilation) usersOf(g *stage.Graph, ref string) []string {
	var places []string
	for i := range g.Nodes {
		n := g.Node(stage.ID(i))
		full, err := lock.FullName(n.Ref)
		if loc := n.Where(); err == nil && full == ref && loc.Line() > 0 {
			places = append(places, fmt.Sprintf("%s:%d", c.Files.Source(loc.File).Name(), loc.Line()))
		}
	}
	return places
}

// fetchDigest returns the digest that a source has now.
func (r *request) fetchDigest(ctx context.Context, c *compilation, f *lock.Fetch) (string, error) {
	if f.Digest != "" {
		return f.Digest, nil
	}
	if f.Platform != nil {
		img, err := c.Sources.Image(ctx, f.Ref, *f.Platform, "[internal] load metadata for "+f.Ref)
		return img.Digest.String(), errors.WithMessage(err, f.Ref)
	}
	dgst, err := r.SourceDigest(ctx, f.Op, "[internal] look up "+f.Ref)
	if err == nil && dgst == "" {
		err = errors.Errorf("%s: this daemon does not tell what is there now; upgrade BuildKit", f.Ref)
	}
	return dgst, err
}

// frontendImage returns the image that answers here, if the client or the
// Dockerfile names one.
func (r *request) frontendImage(ctx context.Context) ([]lock.Source, error) {
	ref := r.opts["source"]
	if ref == "" {
		return nil, nil
	}
	record := lock.Record(r.For(r.goals()[0]))
	full, err := lock.FullName(ref)
	if err != nil {
		return nil, err
	}
	if _, err := record.Image(ctx, full, r.UI.BuildPlatforms[0], "[internal] load metadata for "+full); err != nil {
		return nil, err
	}
	return record.Found(func(string) []string {
		if _, _, where, ok := parser.DetectSyntax(r.Dockerfile.Data); ok && r.opts[syntaxArg] == "" {
			return []string{fmt.Sprintf("%s:%d", r.Dockerfile.Filename, where[0].Start.Line)}
		}
		return nil
	})
}
