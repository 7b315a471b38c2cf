package llbtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/util/imageutil"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Gateway is a gateway client that answers from memory. Images are made up
// from their references (see imageConfig); sources have the given files.
type Gateway struct {
	// Opts are the frontend options, as buildctl --opt has them.
	Opts map[string]string
	// Files are the files of a source by its identifier without the scheme
	// local:// or with any other scheme, and by their path in it.
	Files map[string]map[string]string
	// Worker is the platform of the daemon.
	Worker ocispecs.Platform
	// OldDaemon leaves out the capabilities that BuildKit got after 0.5.
	OldDaemon bool
	// Lacks are capabilities that the daemon does not have besides: of LLB,
	// or of the gateway.
	Lacks []apicaps.CapID
	// Order is the order of answers about images.
	Order Order
	// Given are the states that the client gives as frontend inputs.
	Given map[string]llb.State

	mu       sync.Mutex
	lookups  map[string]bool
	solves   []gwclient.SolveRequest
	warnings []string
}

// Lookups returns the images that were asked for since the last call, each with
// the platform, the mode and the name in the progress, sorted.
func (g *Gateway) Lookups() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	lookups := slices.Sorted(maps.Keys(g.lookups))
	g.lookups = nil
	return lookups
}

// Solves returns the solves that were asked for so far.
func (g *Gateway) Solves() []gwclient.SolveRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.solves)
}

func (g *Gateway) note(ref string, opt sourceresolver.Opt) {
	text := ref + " as " + opt.LogName
	if o := opt.ImageOpt; o != nil {
		text += fmt.Sprintf(" mode=%s platform=%+v", o.ResolveMode, o.Platform)
	}
	if o := opt.GitOpt; o != nil {
		text += fmt.Sprintf(" git=%+v", *o)
	}
	if o := opt.OCILayoutOpt; o != nil {
		text += fmt.Sprintf(" store=%+v platform=%+v", o.Store, o.Platform)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lookups == nil {
		g.lookups = map[string]bool{}
	}
	g.lookups[text] = true
}

// BuildOpts has a copy of the options: dockerui adds to them.
func (g *Gateway) BuildOpts() gwclient.BuildOpts {
	return gwclient.BuildOpts{
		Opts:      maps.Clone(g.Opts),
		SessionID: "session",
		Product:   "llbtest",
		Workers:   []gwclient.WorkerInfo{{ID: "worker", Platforms: []ocispecs.Platform{g.Worker}}},
		LLBCaps:   g.llbCaps(),
		Caps:      g.caps(),
	}
}

// ResolveImageConfig invents an image.
func (g *Gateway) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	g.note(ref, opt)
	if err := g.Order.wait(ctx, ref); err != nil {
		return "", "", nil, err
	}
	var p *ocispecs.Platform
	if opt.ImageOpt != nil {
		p = opt.ImageOpt.Platform
	} else if opt.OCILayoutOpt != nil {
		p = opt.OCILayoutOpt.Platform
	}
	if p == nil {
		p = &g.Worker
	}
	if strings.Contains(ref, "redirected") { // a source policy does so
		return "", "", nil, &imageutil.ResolveToNonImageError{Ref: ref, Updated: "https://example.com/x.tgz"}
	}
	return imageConfig(ref, *p)
}

// ResolveSourceMetadata tells when a Git or HTTP source was made.
func (g *Gateway) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	g.note(op.Identifier+printAttrs(op.Attrs), opt)
	res := &sourceresolver.MetaResponse{Op: op}
	switch {
	case g.supports(gwpb.CapSourceMetaResolver) != nil && !strings.HasPrefix(op.Identifier, "docker-image://"):
		// The library asks an old daemon about images only.
	case strings.HasPrefix(op.Identifier, "git://"):
		res.Git = &sourceresolver.ResolveGitResponse{Checksum: commitOf(op.Identifier), CommitObject: []byte(commit)}
	case strings.HasPrefix(op.Identifier, "docker-image://"):
		ref := strings.TrimPrefix(op.Identifier, "docker-image://")
		_, dgst, config, err := imageConfig(ref, g.Worker)
		if err != nil {
			return nil, err
		}
		res.Image = &sourceresolver.ResolveImageResponse{Digest: dgst, Config: config}
	case strings.Contains(op.Identifier, "unreachable"):
		return nil, fmt.Errorf("%s: no route to host", op.Identifier)
	case !strings.HasPrefix(op.Identifier, "http"):
	case strings.Contains(op.Identifier, "undated"):
		res.HTTP = &sourceresolver.ResolveHTTPResponse{Digest: digest.FromString(op.Identifier)}
	default:
		t := time.Unix(1710000000, 0).UTC()
		res.HTTP = &sourceresolver.ResolveHTTPResponse{Digest: digest.FromString(op.Identifier), LastModified: &t}
	}
	return res, nil
}

// printAttrs returns the attributes of a source but for its random id.
func printAttrs(attrs map[string]string) string {
	var text string
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		if k != pb.AttrLocalUniqueID {
			text += fmt.Sprintf(" %s=%q", k, attrs[k])
		}
	}
	return text
}

// commitOf returns the commit that a Git reference means.
func commitOf(identifier string) string { return digest.FromString(identifier).Encoded()[:40] }

const commit = `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
author A U Thor <author@example.com> 1700000000 +0000
committer A U Thor <author@example.com> 1700000001 +0000

A commit.
`

// Solve gives access to the files of the first source in the definition.
func (g *Gateway) Solve(_ context.Context, req gwclient.SolveRequest) (*gwclient.Result, error) {
	if err := g.refuse(req.Definition); err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.solves = append(g.solves, req)
	g.mu.Unlock()
	res := gwclient.NewResult()
	if req.Definition == nil { // forwarded to another frontend
		res.SetRef(&solved{gateway: g, request: req})
		return res, nil
	}
	if err := g.evaluate(req); err != nil {
		return nil, err
	}
	files, err := g.filesOf(req.Definition)
	if err != nil {
		return nil, err
	}
	res.SetRef(&solved{gateway: g, request: req, files: files})
	return res, nil
}

func (g *Gateway) filesOf(def *pb.Definition) (map[string]string, error) {
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		if src := op.GetSource(); src != nil {
			return g.Files[strings.TrimPrefix(src.Identifier, "local://")], nil
		}
	}
	return nil, nil // a build from nothing has no files
}

// Inputs returns the given ones.
func (g *Gateway) Inputs(context.Context) (map[string]llb.State, error) {
	if err := g.supports(gwpb.CapFrontendInputs); err != nil {
		return nil, err
	}
	return maps.Clone(g.Given), nil
}

// NewContainer is not available.
func (g *Gateway) NewContainer(context.Context, gwclient.NewContainerRequest) (gwclient.Container, error) {
	return nil, errors.New("no containers here")
}

// Warn notes a warning of a frontend.
func (g *Gateway) Warn(_ context.Context, _ digest.Digest, msg string, opts gwclient.WarnOpts) error {
	if g.supports(gwpb.CapGatewayWarnings) != nil {
		return errUnimplemented
	}
	text := fmt.Sprintf("level %d: %s (%s) %s at %s", opts.Level, msg, bytes.Join(opts.Detail, []byte(" ")), opts.URL, opts.SourceInfo.GetFilename())
	for _, r := range opts.Range {
		text += fmt.Sprintf(" %d-%d", r.Start.Line, r.End.Line)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.warnings = append(g.warnings, text)
	return nil
}

// solved is what a request was solved to.
type solved struct {
	gateway *Gateway
	request gwclient.SolveRequest
	files   map[string]string
}

func (r *solved) ToState() (llb.State, error)    { return llb.Scratch(), nil }
func (r *solved) Evaluate(context.Context) error { return nil }

func (r *solved) ReadFile(_ context.Context, req gwclient.ReadRequest) ([]byte, error) {
	text, ok := r.files[req.Filename]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: req.Filename, Err: syscall.ENOENT}
	}
	if rng := req.Range; rng != nil {
		text = text[min(rng.Offset, len(text)):]
		if rng.Length > 0 {
			text = text[:min(rng.Length, len(text))]
		}
	}
	return []byte(text), nil
}

func (r *solved) StatFile(_ context.Context, req gwclient.StatRequest) (*fstypes.Stat, error) {
	if err := r.gateway.supports(gwpb.CapStatFile); err != nil {
		return nil, err
	}
	if text, ok := r.files[req.Path]; ok {
		return &fstypes.Stat{Path: req.Path, Size: int64(len(text)), Mode: 0o644}, nil
	}
	for name := range r.files {
		if strings.HasPrefix(name, req.Path+"/") {
			return &fstypes.Stat{Path: req.Path, Mode: uint32(fs.ModeDir | 0o755)}, nil
		}
	}
	return nil, &fs.PathError{Op: "stat", Path: req.Path, Err: syscall.ENOENT}
}

// ReadDir lists a folder; symbolic links are not among its files.
func (r *solved) ReadDir(_ context.Context, req gwclient.ReadDirRequest) ([]*fstypes.Stat, error) {
	if err := r.gateway.supports(gwpb.CapReadDir); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range r.files {
		if rest, ok := strings.CutPrefix(path.Join("/", name), strings.TrimSuffix(path.Join("/", req.Path), "/")+"/"); ok {
			first, _, _ := strings.Cut(rest, "/")
			names[first] = true
		}
	}
	if len(names) == 0 {
		return nil, &fs.PathError{Op: "readdir", Path: req.Path, Err: syscall.ENOENT}
	}
	var list []*fstypes.Stat
	for _, name := range slices.Sorted(maps.Keys(names)) {
		list = append(list, &fstypes.Stat{Path: name})
	}
	return list, nil
}
