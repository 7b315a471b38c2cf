package gateway

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

const ignoreSuffix = dockerui.DefaultDockerignoreName

// OtherIgnore returns the patterns for a build context, and the name of the file
// that has them: the ignore file that belongs to the Dockerfile, else the
// context's own. Without either file both are empty.
// It is an error where the context does not exist, so that this is known
// before anything runs.
func (s *Sources) OtherIgnore(ctx context.Context, other stage.Context) ([]string, string, error) {
	own, open := otherRoot{ignore: ignoreSuffix}, s.folderRoot
	if other.Named != "" {
		open = s.namedRoot
	}
	if err := open(ctx, other, &own); err != nil {
		return nil, "", err
	}
	beside, err := s.besideFile(ctx, other.IgnoreRoot, strings.TrimSuffix(other.Ignore, ignoreSuffix))
	if err != nil {
		return nil, "", err
	}
	for _, file := range []struct {
		*tree
		path string
	}{{beside, other.Ignore}, {own.tree, own.ignore}} {
		if file.tree == nil {
			continue
		}
		data, found, err := file.read(ctx, file.path)
		if err != nil {
			return nil, "", err
		}
		if found {
			patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
			// Not nil: an empty ignore file counts, too.
			return append([]string{}, patterns...), file.path, errors.Wrapf(err, "failed parsing %s", file.path)
		}
	}
	return nil, "", nil
}

// OwnIgnores returns the ignore files of build contexts that belong to the
// Dockerfile which uses the context, by the ID of the context.
func (s *Sources) OwnIgnores(ctx context.Context, contexts []stage.Context) (map[stage.ContextID]string, error) {
	found := map[stage.ContextID]string{}
	for i, c := range contexts {
		if i == 0 {
			continue
		}
		beside, err := s.besideFile(ctx, c.IgnoreRoot, strings.TrimSuffix(c.Ignore, ignoreSuffix))
		if err != nil {
			return nil, err
		}
		if stat, err := beside.stat(ctx, c.Ignore); err != nil {
			return nil, err
		} else if stat != nil {
			found[stage.ContextID(i)] = c.Ignore
		}
	}
	return found, nil
}

// otherRoot is where the ignore file of a build context is read from.
type otherRoot struct {
	*tree  // nil where it is applied elsewhere
	ignore string
}

// folderRoot looks for a folder of the main context.
func (s *Sources) folderRoot(ctx context.Context, other stage.Context, own *otherRoot) (err error) {
	dir := other.Dir
	own.ignore = path.Join(dir, ignoreSuffix)
	own.tree, err = s.openRoot(ctx, dockerfile.InContext, []string{own.ignore}, nil)
	if err != nil || dir == "." {
		return err
	}
	stat, err := own.stat(ctx, dir)
	if err != nil {
		return err
	}
	if stat == nil {
		// Without an ignore file nothing of the folder was sent but the
		// links on the way to it.
		real, err := own.follow(ctx, dir)
		if err != nil {
			return errors.WithMessagef(err, "--context=./%s", dir)
		}
		folder, err := s.openRoot(ctx, dockerfile.InContext, []string{real}, []string{real + "/*"})
		if err != nil {
			return err
		}
		if stat, err = folder.stat(ctx, real); err != nil {
			return err
		}
	}
	switch {
	case stat == nil:
		return errors.Errorf("--context=./%s: there is no folder %s in %s", dir, dir, own.where)
	case !stat.IsDir():
		return errors.Errorf("--context=./%s: %s is a file, not a folder", dir, dir)
	}
	return nil
}

// namedRoot looks for a named context.
func (s *Sources) namedRoot(ctx context.Context, other stage.Context, own *otherRoot) error {
	st, err := s.namedBuildContext(ctx, other.Named, nil, false)
	if err != nil {
		return err
	}
	if op, err := s.onlySource(ctx, *st); err != nil {
		return err
	} else if op != nil && strings.HasPrefix(op.Identifier, "local://") {
		return nil // dockerui applies its ignore file
	}
	own.tree = &tree{where: "the named context " + other.Named}
	own.ref, err = s.solveState(ctx, *st)
	return err
}

// namedBuildContext opens a named context. A local client sends no more of it
// than some paths; ownIgnore says that its ignore file does not count.
func (s *Sources) namedBuildContext(ctx context.Context, name string, paths []string, ownIgnore bool) (*llb.State, error) {
	nc, err := s.openNamed(name, dockerui.ContextOpt{
		Platform:       s.goal.Platform,
		ResolveMode:    s.UI.ImageResolveMode.String(),
		NoDockerignore: ownIgnore,
		AsyncLocalOpts: func() []llb.LocalOption {
			return append(followPaths(paths), s.goal.ownCopy(namedHint(s.opts, name))...)
		},
	})
	if err != nil {
		return nil, errors.Errorf("--context=%s: %v; a folder of the build context is written ./DIR, with forward slashes", name, err)
	}
	if nc == nil {
		return nil, errors.Errorf("--context=%s: the client gave no named context of this name; give one with --build-context %s=PATH, or write ./%s for a folder of the build context", name, name, name)
	}
	st, _, err := nc.Load(ctx)
	if err == nil && st == nil {
		err = errors.Errorf("--context=%s: the named context has no content", name)
	}
	return st, err
}

// MainContext returns the build context, of which a client sends no more than
// some paths; no paths is all of it.
func (s *Sources) MainContext(ctx context.Context, paths []string) (*llb.State, error) {
	return s.folders.open(ctx, s.goal, "context", paths, func(ctx context.Context) (*llb.State, error) {
		return s.UI.MainContext(ctx, append(followPaths(paths), s.goal.ownCopy(dockerui.DefaultLocalNameContext)...)...)
	})
}

// OtherContext is MainContext for the context of a FROM --context.
func (s *Sources) OtherContext(ctx context.Context, other stage.Context, paths []string) (*llb.State, error) {
	return s.folders.open(ctx, s.goal, folderOf(other), paths, func(ctx context.Context) (*llb.State, error) {
		return s.otherContext(ctx, other, paths)
	})
}

// otherContext opens a build context. A folder becomes a root of its own, so
// that nothing in it leads out of it.
func (s *Sources) otherContext(ctx context.Context, other stage.Context, paths []string) (*llb.State, error) {
	patterns, _, err := s.OtherIgnore(ctx, other)
	if err != nil {
		return nil, err
	}
	if other.Named != "" {
		st, err := s.namedBuildContext(ctx, other.Named, paths, patterns != nil)
		if err != nil || len(patterns) == 0 {
			return st, err
		}
		return scoped(*st, "/", patterns, other.Named), nil
	}
	st, err := s.folderOfContext(ctx, other, paths, patterns)
	if err != nil {
		return nil, err
	}
	return scoped(*st, path.Join("/", other.Dir), patterns, "./"+other.Dir), nil
}

// folderOfContext returns the main context, of which a local client sends no more
// than some paths of one folder.
func (s *Sources) folderOfContext(ctx context.Context, other stage.Context, paths, patterns []string) (*llb.State, error) {
	st, err := s.UI.MainContext(ctx)
	if err != nil {
		return nil, err
	}
	op, err := s.onlySource(ctx, *st)
	if err != nil || op == nil || !strings.HasPrefix(op.Identifier, "local://") {
		return st, err
	}
	within := []string{other.Dir}
	if len(paths) > 0 || other.Dir == "." {
		within = nil
	}
	for _, p := range paths {
		within = append(within, path.Join(other.Dir, p))
	}
	var excludes []string
	for _, p := range patterns {
		p, negated := strings.CutPrefix(p, "!")
		if p = path.Join(other.Dir, p); negated {
			p = "!" + p
		}
		excludes = append(excludes, p)
	}
	// The ignore file is part of what is sent.
	hint := s.goal.copyName(op.Attrs[pb.AttrSharedKeyHint] + ":" + other.Dir + ":" + other.Ignore)
	return limitLocal(op, within, excludes, hint, "[internal] load build context ./"+other.Dir), nil
}

// scoped returns a folder of a state as a root, without what patterns exclude.
func scoped(st llb.State, dir string, patterns []string, name string) *llb.State {
	opts := []llb.CopyOption{&llb.CopyInfo{CopyDirContentsOnly: true, FollowSymlinks: true, CreateDestPath: true}}
	if len(patterns) > 0 {
		opts = append(opts, llb.WithExcludePatterns(slices.Clone(patterns)))
	}
	root := llb.Scratch().File(llb.Copy(st, dir, "/", opts...), llb.WithCustomName("[internal] build context "+name))
	return &root
}

// folderOf identifies a build context across compilations of a request: where it is written is not part of it, as
// each compilation numbers the files in its own order.
func folderOf(c stage.Context) string {
	return fmt.Sprintf("%q %q %q %v", c.Dir, c.Named, c.Ignore, c.IgnoreRoot)
}
