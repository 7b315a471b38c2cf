package gateway

import (
	"context"
	"encoding/binary"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// What may have been meant by a path that leads to no file. To find out, the
// client is asked for names without content, where the daemon can do that. All
// that goes wrong means that there is nothing to suggest.

// missing is the error for a file that is not there.
func (s *Session) missing(ctx context.Context, t *tree, root dockerfile.Root, p string) error {
	if t.single {
		return errors.Errorf("%s cannot be read: the Dockerfile is a single file from a URL and has no files next to it; use a Git context, or a path from the root of the build context with a leading slash", p)
	}
	if root == dockerfile.BesideDockerfile && s.isFile(ctx, dockerfile.InContext, p) {
		return errors.Errorf("%s is not in %s; it is in the build context, from whose root a path starts with a slash: /%s", p, t.where, p)
	}
	meant, alone := s.nearest(ctx, t, root, p)
	switch {
	case meant != "":
		return errors.Errorf("%s is not in %s (did you mean %s?)", p, t.where, meant)
	case alone:
		return errors.Errorf("%s is not in %s; a Dockerfile from standard input has no files next to it, and a path from the root of the build context starts with a slash", p, t.where)
	}
	return errors.Errorf("%s is not in %s", p, t.where)
}

// folderError is about a folder where a file is wanted.
type folderError struct{ path string }

func (e *folderError) Error() string { return e.path + " is a folder, not a file" }

// folder is a folderError with the Dockerfile in it.
func (s *Session) folder(ctx context.Context, t *tree, root dockerfile.Root, e *folderError) error {
	if !slices.Contains(s.names(ctx, t, root, e.path), dockerui.DefaultDockerfileName) {
		return e
	}
	start := "./"
	if root == dockerfile.InContext {
		start = "/"
	}
	return errors.Errorf("%s is a folder (did you mean %s?)", e.path, start+path.Join(e.path, dockerui.DefaultDockerfileName))
}

func (s *Session) isFile(ctx context.Context, root dockerfile.Root, p string) bool {
	t, err := s.openRoot(ctx, root, []string{p}, []string{p + "/*"})
	if err != nil {
		return false
	}
	stat, err := t.stat(ctx, p)
	return err == nil && stat != nil && !stat.IsDir()
}

// nearest returns the file of nearly the same path, empty where there is none.
// alone says that the Dockerfile is the only file that its client sends.
func (s *Session) nearest(ctx context.Context, t *tree, root dockerfile.Root, p string) (_ string, alone bool) {
	found := "."
	for name := range strings.SplitSeq(p, "/") {
		names := s.names(ctx, t, root, found)
		if found == "." && root == dockerfile.BesideDockerfile {
			alone = len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool {
				return strings.TrimSuffix(n, ignoreSuffix) != s.Dockerfile.Filename
			})
		}
		if !slices.Contains(names, name) {
			var ok bool
			if name, ok = suggest.Search(name, names, true); !ok {
				return "", alone
			}
		}
		found = path.Join(found, name)
	}
	return found, alone
}

// names returns the names in a folder, nil where they cannot be had.
func (s *Session) names(ctx context.Context, t *tree, root dockerfile.Root, dir string) []string {
	_, op, err := s.rootState(ctx, root)
	if err != nil {
		return nil
	}
	if op != nil && strings.HasPrefix(op.Identifier, "local://") {
		caps := s.UI.BuildOpts().LLBCaps
		if caps.Supports(pb.CapSourceMetadataTransfer) != nil {
			return nil
		}
		all := path.Join(dir, "*")
		listed := limitLocal(op, []string{all}, []string{all + "/*"}, op.Attrs[pb.AttrSharedKeyHint]+"-names-"+dir, "[internal] list "+dir,
			map[string]string{pb.AttrMetadataTransfer: "true"})
		ref, err := s.solveState(ctx, *listed)
		if err != nil {
			return nil
		}
		return listedNames(ctx, ref, dir)
	}
	entries, err := t.ref.ReadDir(ctx, client.ReadDirRequest{Path: dir})
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, path.Base(e.Path))
	}
	return names
}

// metadataFile is where BuildKit writes what a transfer without content
// brought: the entries of the tree, each a message with its length before it,
// four bytes, the least significant first.
const metadataFile = ".fsutil-metadata"

// listedNames returns the names in a folder of such a transfer.
func listedNames(ctx context.Context, ref client.Reference, dir string) []string {
	data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: metadataFile})
	if err != nil {
		return nil
	}
	var names []string
	for len(data) >= 4 {
		n := uint64(binary.LittleEndian.Uint32(data))
		if n > uint64(len(data)-4) {
			return nil
		}
		var stat fstypes.Stat
		if err := stat.UnmarshalVT(data[4 : 4+n]); err != nil {
			return nil
		}
		data = data[4+n:]
		if path.Dir(path.Clean(stat.Path)) == dir {
			names = append(names, path.Base(stat.Path))
		}
	}
	return names
}
