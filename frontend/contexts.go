package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// otherIgnore are the patterns for a build context of FROM --context: those of
// the ignore file that belongs to the Dockerfile, else those of the context's
// own ignore file.
func (r *request) otherIgnore(ctx context.Context, c stage.Context) ([]string, error) {
	if data, ok, err := r.readOptional(ctx, c.IgnoreRoot, c.Ignore); err != nil {
		return nil, err
	} else if ok {
		return parseIgnore(data, c.Ignore)
	}
	if c.Named != "" {
		// Its own ignore file is applied where it is opened.
		return nil, r.checkNamedContext(c.Named)
	}
	if err := r.checkFolder(ctx, c.Dir); err != nil {
		return nil, err
	}
	name := path.Join(c.Dir, dockerui.DefaultDockerignoreName)
	data, ok, err := r.readOptional(ctx, dockerfile.InContext, name)
	if err != nil || !ok {
		return nil, err
	}
	return parseIgnore(data, name)
}

func parseIgnore(data []byte, name string) ([]string, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
	return patterns, errors.Wrapf(err, "failed parsing %s", name)
}

// readOptional reads a file that need not be there.
func (r *request) readOptional(ctx context.Context, root dockerfile.Root, p string) ([]byte, bool, error) {
	tree, err := r.openRoot(ctx, root, []string{p})
	if err != nil {
		return nil, false, err
	}
	if _, err := tree.ref.StatFile(ctx, client.StatRequest{Path: p}); err != nil {
		return nil, false, nil
	}
	data, err := dockerui.ReadFile(ctx, tree.ref, p)
	return data, err == nil, err
}

// checkFolder is an error for a folder that the main context does not have,
// before anything runs that would need it.
func (r *request) checkFolder(ctx context.Context, dir string) error {
	if dir == "." || dir == "" {
		return nil
	}
	st, err := r.ui.MainContext(ctx)
	if err != nil {
		return err
	}
	op, err := r.singleSource(ctx, *st)
	if err != nil {
		return err
	}
	if op != nil && strings.HasPrefix(op.Identifier, "local://") {
		// The folder alone, without what is in it.
		if st, err = limitLocal(op, []string{dir}, "[internal] find "+dir); err != nil {
			return err
		}
		if op, err = r.singleSource(ctx, *st); err != nil {
			return err
		}
		excludes, err := json.Marshal([]string{dir + "/*"})
		if err != nil {
			return err
		}
		op.Attrs[pb.AttrExcludePatterns] = string(excludes)
		var c llb.Constraints
		llb.WithCustomName("[internal] find " + dir).SetConstraintsOption(&c)
		folder := llb.NewState(llb.NewSource(op.Identifier, op.Attrs, c).Output())
		st = &folder
	}
	ref, err := r.solveState(ctx, *st)
	if err != nil {
		return err
	}
	stat, err := ref.StatFile(ctx, client.StatRequest{Path: dir})
	if err != nil {
		return errors.Errorf("--context=%s: there is no folder %s in the build context", dir, dir)
	}
	if !stat.IsDir() && stat.Linkname == "" {
		return errors.Errorf("--context=%s: %s is a file, not a folder", dir, dir)
	}
	return nil
}

func (r *request) checkNamedContext(name string) error {
	nc, err := r.ui.NamedContext(name, dockerui.ContextOpt{})
	if err != nil {
		return err
	}
	if nc == nil {
		return errors.Errorf("--context=%s: the client gave no named context of this name; give one with --build-context %s=PATH, or write ./%s for a folder of the build context", name, name, name)
	}
	return nil
}

// otherContext opens a build context of FROM --context. The folder becomes a
// root of its own, so that nothing in it leads out of it.
func (r *request) otherContext(ctx context.Context, c stage.Context, paths []string) (*llb.State, error) {
	patterns, err := r.otherIgnore(ctx, c)
	if err != nil {
		return nil, err
	}
	if c.Named != "" {
		st, err := r.namedBuildContext(ctx, c.Named, patterns != nil)
		if err != nil {
			return nil, err
		}
		if len(patterns) == 0 {
			return st, nil
		}
		return scoped(*st, "/", patterns, c.Named), nil
	}
	within := []string{c.Dir}
	if len(paths) > 0 {
		within = nil
	}
	for _, p := range paths {
		within = append(within, path.Join(c.Dir, p))
	}
	st, err := r.folderOfContext(ctx, c.Dir, within, patterns)
	if err != nil {
		return nil, err
	}
	return scoped(*st, path.Join("/", c.Dir), patterns, "./"+c.Dir), nil
}

func (r *request) namedBuildContext(ctx context.Context, name string, ownIgnore bool) (*llb.State, error) {
	nc, err := r.ui.NamedContext(name, dockerui.ContextOpt{
		ResolveMode:    r.ui.ImageResolveMode.String(),
		NoDockerignore: ownIgnore,
	})
	if err != nil {
		return nil, err
	}
	if nc == nil {
		return nil, r.checkNamedContext(name)
	}
	st, _, err := nc.Load(ctx)
	return st, err
}

// folderOfContext is the main context, of which a local client sends no more
// than some paths of one folder.
func (r *request) folderOfContext(ctx context.Context, dir string, within, patterns []string) (*llb.State, error) {
	st, err := r.ui.MainContext(ctx)
	if err != nil {
		return nil, err
	}
	op, err := r.singleSource(ctx, *st)
	if err != nil || op == nil || !strings.HasPrefix(op.Identifier, "local://") {
		return st, err
	}
	if st, err = limitLocal(op, within, "[internal] load build context ./"+dir); err != nil {
		return nil, err
	}
	if op, err = r.singleSource(ctx, *st); err != nil {
		return nil, err
	}
	var excludes []string
	for _, p := range patterns {
		negated := strings.HasPrefix(p, "!")
		p = path.Join(dir, strings.TrimPrefix(p, "!"))
		if negated {
			p = "!" + p
		}
		excludes = append(excludes, p)
	}
	if len(excludes) > 0 {
		dt, err := json.Marshal(excludes)
		if err != nil {
			return nil, err
		}
		op.Attrs[pb.AttrExcludePatterns] = string(dt)
	}
	op.Attrs[pb.AttrSharedKeyHint] = "context:" + dir
	var c llb.Constraints
	llb.WithCustomName("[internal] load build context ./" + dir).SetConstraintsOption(&c)
	folder := llb.NewState(llb.NewSource(op.Identifier, op.Attrs, c).Output())
	return &folder, nil
}

// scoped is a folder of a state as a root, without what patterns exclude.
func scoped(st llb.State, dir string, patterns []string, name string) *llb.State {
	opts := []llb.CopyOption{&llb.CopyInfo{CopyDirContentsOnly: true, FollowSymlinks: true, CreateDestPath: true}}
	if len(patterns) > 0 {
		opts = append(opts, llb.WithExcludePatterns(slices.Clone(patterns)))
	}
	root := llb.Scratch().File(llb.Copy(st, dir, "/", opts...), llb.WithCustomName("[internal] build context "+name))
	return &root
}
