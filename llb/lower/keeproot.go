package lower

import (
	"path"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// keepRoot is COPY --keep-root. A daemon gives the folder that it copies to
// nothing of the one that it copies from, but it does so for the folders in it.
// So the folder is first copied to a place where it is one of these, under the
// name that it gets, and then with what is around it there, of which nothing is
// kept.
func (l *lowerer) keepRoot(step *plan.Step, op *plan.Copy) (*llb.FileAction, error) {
	src, ok := op.Sources[0].(*plan.Files)
	if !ok {
		return nil, errors.Errorf("no lowering for --keep-root of %T", op.Sources[0])
	}
	from, folderPath := l.source(src.From, src.Context), path.Clean(src.Path)
	folder := from
	if folderPath != "/" {
		// Fails where it is a file. Where nothing is, the first copy below fails.
		folder = from.File(llb.Mkdir(folderPath, 0o755, llb.WithParents(true)), internal("preparing the folder to copy"), l.at(step.Loc))
	}
	inPlace := llb.Copy(from, folderPath, "/there", &llb.CopyInfo{FollowSymlinks: true, CopyDirContentsOnly: true, CreateDestPath: true},
		llb.WithExcludePatterns([]string{"**"}))
	opts := []llb.CopyOption{&llb.CopyInfo{FollowSymlinks: true, CreateDestPath: true}}
	if len(op.Excludes) > 0 {
		opts = append(opts, llb.WithExcludePatterns(op.Excludes))
	}
	inPlace = inPlace.Copy(folder, folderPath, path.Join("/around", path.Base(op.Dest)), opts...)
	around := llb.Scratch().File(inPlace, internal("preparing the folder to copy"), l.at(step.Loc), llb.Platform(op.Platform))

	opts = []llb.CopyOption{&llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true, Mode: chmod(op.Chmod)}}
	if op.Chown != "" {
		opts = append(opts, llb.WithUser(op.Chown))
	}
	return llb.Copy(around, "/around", path.Dir(path.Clean(op.Dest)), opts...), nil
}
