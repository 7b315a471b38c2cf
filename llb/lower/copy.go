package lower

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// copy is COPY and ADD: one file operation with an action for each source.
func (l *lowerer) copy(fs llb.State, step *plan.Step, op *plan.Copy) (llb.State, error) {
	action, err := l.copyActions(step, op)
	if err != nil {
		return llb.State{}, err
	}
	opts := []llb.ConstraintsOpt{llb.WithCustomName(step.Progress), l.at(step.Loc)}
	if l.ignoresCache(step) {
		opts = append(opts, llb.IgnoreCache)
	}
	// A mode applies to directories that the layer below may have, too,
	// which a layer of its own cannot know.
	if op.Link && op.Chmod == nil && l.opt.supports(pb.CapMergeOp) {
		return link(fs, step, op, action, opts), nil
	}
	return fs.File(action, opts...), nil
}

// link copies into an empty filesystem and lays that over the stage's, so
// that the copy does not depend on what is below. Both operations are one
// step of the progress.
func link(fs llb.State, step *plan.Step, op *plan.Copy, action *llb.FileAction, opts []llb.ConstraintsOpt) llb.State {
	group := identity.NewID()
	copyOpts := append([]llb.ConstraintsOpt{llb.Platform(op.Platform)}, opts...)
	copyOpts = append(copyOpts, llb.ProgressGroup(group, step.Progress, true))
	layer := llb.Scratch().File(action, copyOpts...)

	mergeOpts := append([]llb.ConstraintsOpt{}, opts...)
	mergeOpts = append(mergeOpts, llb.ProgressGroup(group, step.Progress, false), llb.WithCustomName(op.LinkProgress))
	return fs.WithOutput(llb.Merge([]llb.State{fs, layer}, mergeOpts...).Output())
}

func (l *lowerer) copyActions(step *plan.Step, op *plan.Copy) (*llb.FileAction, error) {
	if op.KeepRoot {
		return l.keepRoot(step, op)
	}
	var action *llb.FileAction
	for _, src := range op.Sources {
		fs, path, info, err := l.copySource(step, op, src)
		if err != nil {
			return nil, err
		}
		info.CreateDestPath = true
		info.Mode = chmod(op.Chmod)
		opts := []llb.CopyOption{info}
		if op.Chown != "" {
			opts = append(opts, llb.WithUser(op.Chown))
		}
		if len(op.Excludes) > 0 {
			opts = append(opts, llb.WithExcludePatterns(op.Excludes))
		}
		if action == nil {
			action = llb.Copy(fs, path, op.Dest, opts...)
		} else {
			action = action.Copy(fs, path, op.Dest, opts...)
		}
	}
	return action, nil
}

// copySource returns a source as a filesystem, the path in it, and how to copy.
func (l *lowerer) copySource(step *plan.Step, op *plan.Copy, src plan.CopySource) (llb.State, string, *llb.CopyInfo, error) {
	switch s := src.(type) {
	case *plan.Files:
		return l.files(step, s), s.Path, &llb.CopyInfo{
			FollowSymlinks:      true,
			CopyDirContentsOnly: true,
			IncludePatterns:     s.Include,
			RequiredPaths:       s.Required,
			AttemptUnpack:       s.Unpack,
			AllowWildcard:       true,
			AllowEmptyWildcard:  true,
		}, nil
	case *plan.Download:
		sum, err := s.Digest()
		if err != nil {
			return llb.State{}, "", nil, err
		}
		name := s.Filename()
		fs := llb.HTTP(s.URL, llb.Filename(name), llb.Checksum(sum), llb.WithCustomName(step.Progress), instruction(""))
		return fs, name, &llb.CopyInfo{AttemptUnpack: s.Unpack}, nil
	case *plan.Checkout:
		opts := append([]llb.GitOption{llb.WithCustomName(step.Progress)}, s.GitOptions(l.opt.GitAdvice)...)
		return llb.Git(s.URL, "", opts...), "/", &llb.CopyInfo{}, nil
	case *plan.Inline:
		fs := llb.Scratch().File(
			llb.Mkfile(s.Name, 0o644, []byte(s.Data)),
			internal("preparing inline document"),
			llb.Platform(op.Platform),
		)
		return fs, s.Path, &llb.CopyInfo{}, nil
	default:
		return llb.State{}, "", nil, errors.Errorf("no lowering for %T", src)
	}
}

// files returns the filesystem that files are copied from.
func (l *lowerer) files(step *plan.Step, s *plan.Files) llb.State {
	fs := l.source(s.From, s.Context)
	// Looking for a pattern fails in a folder that is not there, and making
	// it costs next to nothing. What is there stays as it is, symbolic links
	// to folders among it.
	var prepare *llb.FileAction
	if s.Parents != "" {
		prepare = llb.Mkdir(s.Parents, 0o755, llb.WithParents(true))
	}
	if s.Folder != "" && prepare == nil {
		prepare = llb.Mkdir(s.Folder, 0o755)
	} else if s.Folder != "" {
		prepare = prepare.Mkdir(s.Folder, 0o755)
	}
	if prepare != nil {
		fs = fs.File(prepare, internal("preparing sources that may be absent"), l.at(step.Loc))
	}
	return fs
}

func chmod(c *plan.Chmod) *llb.ChmodOpt {
	if c == nil {
		return nil
	}
	return &llb.ChmodOpt{Mode: c.Mode, ModeStr: c.Symbolic}
}
