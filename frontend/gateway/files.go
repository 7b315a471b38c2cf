package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/flightcontrol"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// readFiles are the files that Dockerfiles of a build refer to: each is read
// once, for all platforms and gates.
type readFiles struct {
	trees flightcontrol.CachedGroup[*tree]
	files flightcontrol.CachedGroup[[]byte]
	// ready are files that came together with others.
	ready sync.Map // of fileKey to *readyFile
}

// ReadFile reads a Dockerfile that another one refers to.
func (s *Session) ReadFile(ctx context.Context, root dockerfile.Root, p string) ([]byte, error) {
	if ready, ok := s.read.ready.Load(fileKey(root, p)); ok {
		return ready.(*readyFile).data, nil
	}
	return s.read.files.Do(ctx, fileKey(root, p), guarded(func(ctx context.Context) ([]byte, error) {
		return s.readThroughLinks(ctx, root, p, 0)
	}))
}

// readThroughLinks reads a file. A client follows each symbolic link on the
// way once: what is behind it the second time is asked for by its own path.
func (s *Session) readThroughLinks(ctx context.Context, root dockerfile.Root, p string, links int) ([]byte, error) {
	t, err := s.besideFile(ctx, root, p)
	if err != nil {
		return nil, err
	}
	data, found, err := t.read(ctx, p)
	var folder *folderError
	if errors.As(err, &folder) {
		return nil, s.folder(ctx, t, root, folder)
	}
	if err != nil || found {
		return data, err
	}
	if real, err := t.follow(ctx, p); err == nil && real != p && links < maxLinks {
		data, err := s.readThroughLinks(ctx, root, real, links+1)
		return data, errors.WithMessagef(err, "%s is %s behind its symbolic links", p, real)
	}
	return nil, s.missing(ctx, t, root, p)
}

// besideFile returns the tree that has a Dockerfile and the ignore file which
// belongs to it.
func (s *Session) besideFile(ctx context.Context, root dockerfile.Root, p string) (*tree, error) {
	if ready, ok := s.read.ready.Load(fileKey(root, p)); ok {
		return ready.(*readyFile).tree, nil
	}
	// Were it a folder, what is in it would not be needed.
	return s.openRoot(ctx, root, []string{p, p + ignoreSuffix}, []string{p + "/*"})
}

// tree is where files are read from. Symbolic links lead nowhere but to other
// files of the same tree.
type tree struct {
	ref client.Reference
	// where is the root in the user's words.
	where string
	// single says that there are no files besides the Dockerfile.
	single bool
}

// openRoot solves a root, limited to some paths where it is a local folder.
func (s *Session) openRoot(ctx context.Context, root dockerfile.Root, paths, excludes []string) (*tree, error) {
	key := fmt.Sprintf("%v %q %q", root, paths, excludes)
	return s.read.trees.Do(ctx, key, guarded(func(ctx context.Context) (*tree, error) {
		t := &tree{where: "the build context"}
		st, op, err := s.rootState(ctx, root)
		if err != nil {
			return nil, err
		}
		scheme := ""
		if op != nil {
			scheme, _, _ = strings.Cut(op.Identifier, "://")
		}
		switch {
		case scheme == "local":
			if root == dockerfile.BesideDockerfile {
				t.where = "the folder that the Dockerfile is sent from"
			}
			st = limitLocal(op, paths, excludes, op.Attrs[pb.AttrSharedKeyHint]+"-"+path.Join(paths[0]), loading(paths))
		case strings.HasPrefix(scheme, "http"):
			t.single = root == dockerfile.BesideDockerfile
		case scheme == "git":
			t.where = "the Git repository"
		}
		t.ref, err = s.solveState(ctx, *st)
		return t, err
	}))
}

// rootState returns where the files of a root come from, and the one source
// operation of it, nil where there are more.
func (s *Session) rootState(ctx context.Context, root dockerfile.Root) (*llb.State, *pb.SourceOp, error) {
	st := s.Dockerfile.State
	if root == dockerfile.InContext {
		var err error
		if st, err = s.UI.MainContext(ctx); err != nil {
			return nil, nil, err
		}
	}
	op, err := s.onlySource(ctx, *st)
	return st, op, err
}

// limitLocal returns a local folder as the client offers it, limited to some
// paths; ignore files do not count for Dockerfiles. Under the hint the daemon
// keeps a copy of what was sent, and a transfer with other paths would drop
// it: they need hints of their own.
func limitLocal(op *pb.SourceOp, paths, excludes []string, hint, name string, more ...map[string]string) *llb.State {
	attrs := maps.Clone(op.Attrs)
	delete(attrs, pb.AttrIncludePatterns)
	for attr, list := range map[string][]string{pb.AttrFollowPaths: paths, pb.AttrExcludePatterns: excludes} {
		delete(attrs, attr)
		if len(list) > 0 {
			text, _ := json.Marshal(list) // a list of strings has no errors
			attrs[attr] = string(text)
		}
	}
	attrs[pb.AttrSharedKeyHint] = hint
	for _, m := range more {
		maps.Copy(attrs, m)
	}
	var c llb.Constraints
	llb.WithCustomName(name).SetConstraintsOption(&c)
	st := llb.NewState(llb.NewSource(op.Identifier, attrs, c).Output())
	return &st
}

// read returns the content of a file, if the tree has it.
func (t *tree) read(ctx context.Context, p string) (_ []byte, found bool, _ error) {
	stat, err := t.stat(ctx, p)
	switch {
	case err != nil:
		return nil, false, err
	case stat == nil:
		// A link that leads nowhere is no missing file.
		_, err := t.follow(ctx, p)
		return nil, false, err
	case stat.IsDir():
		return nil, false, &folderError{p}
	case stat.Size > maxFileSize:
		return nil, false, errors.Errorf("%s is %d MB; files referenced by a Dockerfile must not exceed %d MB", p, stat.Size>>20, maxFileSize>>20)
	}
	data, err := dockerui.ReadFile(ctx, t.ref, p)
	return data, err == nil, errors.Wrapf(err, "%s cannot be read", p)
}

// maxFileSize is the limit that BuildKit has for the Dockerfile itself: the
// gateway has no longer messages.
const maxFileSize = 16 << 20

// stat returns what a path leads to, nil where it leads nowhere.
func (t *tree) stat(ctx context.Context, p string) (*fstypes.Stat, error) {
	stat, err := t.ref.StatFile(ctx, client.StatRequest{Path: p})
	if err != nil && isMissing(err) {
		return nil, nil
	}
	return stat, errors.Wrapf(err, "%s cannot be read", p)
}

// isMissing reports whether an error of the daemon is about a file that is not
// there. Only its text comes over the gateway.
func isMissing(err error) bool {
	return strings.Contains(err.Error(), "no such file or directory") || strings.Contains(err.Error(), "not a directory")
}

// follow returns a path without the symbolic links in it. An error is about a link
// that leads out of the tree or to nothing in it.
func (t *tree) follow(ctx context.Context, p string) (string, error) {
	done, todo := ".", strings.Split(path.Clean(p), "/")
	for links := 0; len(todo) > 0; {
		next := path.Join(done, todo[0])
		todo = todo[1:]
		link, err := t.link(ctx, next)
		if err != nil {
			return "", err
		}
		if link == "" {
			done = next
			continue
		}
		to := path.Join(done, link)
		if path.IsAbs(link) {
			to = strings.TrimPrefix(path.Clean(link), "/")
		}
		if to == ".." || strings.HasPrefix(to, "../") {
			return "", errors.Errorf("%s is a symbolic link to %s, which leads out of %s", next, link, t.where)
		}
		if links++; links > maxLinks {
			return "", errors.Errorf("%s leads through more than %d symbolic links", p, maxLinks)
		}
		if stat, err := t.stat(ctx, to); err != nil {
			return "", err
		} else if stat == nil && len(todo) == 0 {
			return to, errors.Errorf("%s is a symbolic link to %s, which is not in %s", next, link, t.where)
		}
		done, todo = ".", append(strings.Split(to, "/"), todo...)
	}
	return done, nil
}

const maxLinks = 40 // as on Linux

// link returns what a symbolic link says, empty for anything else.
func (t *tree) link(ctx context.Context, p string) (string, error) {
	entries, err := t.ref.ReadDir(ctx, client.ReadDirRequest{Path: path.Dir(p)})
	if err != nil && !isMissing(err) {
		return "", err
	}
	for _, entry := range entries {
		if path.Base(entry.Path) == path.Base(p) {
			return entry.Linkname, nil
		}
	}
	return "", nil
}
