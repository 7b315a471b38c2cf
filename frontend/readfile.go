package frontend

import (
	"context"
	"encoding/json"
	"maps"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// readFile reads a file that a Dockerfile refers to. Symbolic links lead
// nowhere but to other files under the same root.
func (r *request) readFile(ctx context.Context, root dockerfile.Root, p string) ([]byte, error) {
	tree, err := r.openRoot(ctx, root, []string{p})
	if err != nil {
		return nil, err
	}
	data, err := dockerui.ReadFile(ctx, tree.ref, p)
	if err != nil {
		return nil, tree.explain(ctx, err, p)
	}
	return data, nil
}

// tree is where files are read from.
type tree struct {
	ref client.Reference
	// where is the root in the user's words.
	where string
	// single is set where the root is one file from the web.
	single bool
}

// explain is the error for a file that cannot be read.
func (t *tree) explain(ctx context.Context, err error, p string) error {
	if t.single {
		return errors.Errorf("%s cannot be read: the Dockerfile is a single file from a URL and has no files beside it; use a Git context, or a path from the root of the build context with a leading slash", p)
	}
	// The listing of the folder shows links that lead nowhere, too.
	entries, listErr := t.ref.ReadDir(ctx, client.ReadDirRequest{Path: path.Dir(p)})
	for _, entry := range entries {
		switch {
		case listErr != nil || path.Base(entry.Path) != path.Base(p):
		case entry.Linkname != "":
			return errors.Errorf("%s is a symbolic link to %s, which is not in %s", p, entry.Linkname, t.where)
		case entry.IsDir():
			return errors.Errorf("%s is a folder, not a file", p)
		default:
			return errors.Wrapf(err, "%s cannot be read", p)
		}
	}
	hint := ""
	if t.where != inContext {
		hint = " (a Dockerfile from standard input has no files beside it; a path with a leading slash starts at the root of the build context)"
	}
	return errors.Errorf("%s is not in %s%s", p, t.where, hint)
}

const (
	besideDockerfile = "the folder that the Dockerfile is sent from"
	inContext        = "the build context"
)

// openRoot solves a root, limited to some paths where it is a local folder.
func (r *request) openRoot(ctx context.Context, root dockerfile.Root, paths []string) (*tree, error) {
	t := &tree{where: besideDockerfile}
	st := r.dockerfile.State
	if root == dockerfile.InContext {
		t.where = inContext
		var err error
		if st, err = r.ui.MainContext(ctx); err != nil {
			return nil, err
		}
	}
	op, err := r.singleSource(ctx, *st)
	if err != nil {
		return nil, err
	}
	if op != nil {
		switch {
		case strings.HasPrefix(op.Identifier, "local://"):
			st, err = limitLocal(op, paths, "[internal] load "+strings.Join(paths, " "))
			if err != nil {
				return nil, err
			}
		case root == dockerfile.BesideDockerfile && strings.HasPrefix(op.Identifier, "http"):
			t.single = true
		}
	}
	t.ref, err = r.solveState(ctx, *st)
	return t, err
}

// limitLocal is a local folder as the client offers it, limited to some
// paths; ignore files do not count for Dockerfiles.
func limitLocal(op *pb.SourceOp, paths []string, name string) (*llb.State, error) {
	attrs := maps.Clone(op.Attrs)
	follow, err := json.Marshal(paths)
	if err != nil {
		return nil, err
	}
	attrs[pb.AttrFollowPaths] = string(follow)
	delete(attrs, pb.AttrExcludePatterns)
	delete(attrs, pb.AttrIncludePatterns)
	// A hint of its own: the same one would make the daemon drop what the
	// other transfer of this folder sent.
	attrs[pb.AttrSharedKeyHint] += "-" + path.Join(paths...)
	var c llb.Constraints
	llb.WithCustomName(name).SetConstraintsOption(&c)
	st := llb.NewState(llb.NewSource(op.Identifier, attrs, c).Output())
	return &st, nil
}
