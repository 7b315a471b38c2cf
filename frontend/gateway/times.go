package gateway

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/gitutil/gitobject"
	"github.com/moby/go-archive/compression"
	"github.com/pkg/errors"
)

// lastChange returns the time of the last change of a state that is one source:
// the commit time of Git, Last-Modified of HTTP or else the newest file of an
// archive. Nil where the state is something else or has no time.
func (s *Session) lastChange(ctx context.Context, st llb.State, log string) (*time.Time, error) {
	op, err := s.singleSource(ctx, st)
	if err != nil || op == nil {
		return nil, err
	}
	opt := sourceresolver.Opt{LogName: log}
	if strings.HasPrefix(op.Identifier, "git://") {
		opt.GitOpt = &sourceresolver.ResolveGitOpt{ReturnObject: true}
	}
	md, err := s.Client.ResolveSourceMetadata(ctx, op, opt)
	if err != nil {
		return nil, err
	}
	if md.Git != nil && len(md.Git.CommitObject) > 0 {
		return commitTime(md.Git.CommitObject)
	}
	if md.HTTP != nil && md.HTTP.LastModified != nil {
		return md.HTTP.LastModified, nil
	}
	name := op.Attrs[pb.AttrHTTPFilename]
	if isHTTP := strings.HasPrefix(op.Identifier, "http"); !isHTTP || name == "" {
		return nil, nil
	}
	source := llb.NewSource(op.Identifier, op.Attrs, llb.Constraints{})
	ref, err := s.solveState(ctx, llb.NewState(source.Output()))
	if err != nil {
		return nil, err
	}
	data, err := dockerui.ReadFile(ctx, ref, name)
	if err != nil {
		return nil, err
	}
	return newestFile(data), nil
}

// singleSource returns the source operation of a state, nil where it has several
// or none.
func (s *Session) singleSource(ctx context.Context, st llb.State) (*pb.SourceOp, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(s.UI.BuildOpts().Caps))
	if err != nil {
		return nil, err
	}
	var source *pb.SourceOp
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		if found := op.GetSource(); found != nil {
			if source != nil {
				return nil, nil
			}
			source = found
		}
	}
	return source, nil
}

// onlySource returns a state's source operation where it has no other operation,
// else nil.
func (s *Session) onlySource(ctx context.Context, st llb.State) (*pb.SourceOp, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(s.UI.BuildOpts().Caps))
	if err != nil || len(def.Def) != 2 { // the source, and the result that it is
		return nil, err
	}
	return s.singleSource(ctx, st)
}

func commitTime(object []byte) (*time.Time, error) {
	obj, err := gitobject.Parse(object)
	if err != nil {
		return nil, err
	}
	commit, err := obj.ToCommit()
	if err != nil {
		return nil, err
	}
	return commit.Committer.When, nil
}

// newestFile returns the latest time of a regular file in an archive, nil for
// anything but a whole archive.
func newestFile(data []byte) *time.Time {
	rc, err := compression.DecompressStream(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	defer rc.Close()
	var newest *time.Time
	for archive := tar.NewReader(rc); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return newest
		}
		if err != nil {
			return nil
		}
		if !header.FileInfo().Mode().IsRegular() {
			continue
		}
		if t := header.ModTime.UTC(); newest == nil || t.After(*newest) {
			newest = &t
		}
	}
}
