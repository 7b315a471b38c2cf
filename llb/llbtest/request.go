package llbtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/lower"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
	"golang.org/x/tools/txtar"
)

// Request is one compilation, in the words of a client.
type Request struct {
	Dockerfile []byte
	// Ignore is the ignore file next to the Dockerfile, empty for none.
	Ignore string
	// Opts are the frontend's options: target, platform, no-cache,
	// build-arg:NAME, context:NAME and so on.
	Opts map[string]string
	// Files are the files of named contexts; see Gateway.
	Files     map[string]map[string]string
	OldDaemon bool
	// Lacks are single capabilities that the daemon does not have.
	Lacks []apicaps.CapID
	// Inputs are the frontend inputs of the client: images, by the name of
	// the input.
	Inputs map[string]string
	// Order is the order in which the daemon answers; see Orders.
	Order Order
	// Beside are further Dockerfiles in the folder of the Dockerfile, and
	// InContext those in the build context. Upstream does not see them.
	Beside, InContext map[string]string
	// ThroughJSON has our compiler write the plan as JSON and read it again
	// before it is lowered.
	ThroughJSON bool
}

// With returns the request with some options changed.
func (r Request) With(opts map[string]string) Request {
	all := map[string]string{}
	maps.Copy(all, r.Opts)
	maps.Copy(all, opts)
	r.Opts = all
	return r
}

func (r *Request) gateway() *Gateway {
	files := map[string]map[string]string{}
	maps.Copy(files, r.Files)
	files["dockerfile"] = map[string]string{"Dockerfile": string(r.Dockerfile)}
	maps.Copy(files["dockerfile"], r.Files["dockerfile"])
	if r.Ignore != "" {
		files["dockerfile"]["Dockerfile.dockerignore"] = r.Ignore
	}
	given := map[string]llb.State{}
	for name, ref := range r.Inputs {
		given[name] = llb.Image(ref)
		files["docker-image://"+ref] = r.Files["input:"+name]
	}
	return &Gateway{
		Order:     r.Order,
		Lacks:     r.Lacks,
		Given:     given,
		Opts:      r.Opts,
		Files:     files,
		Worker:    ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		OldDaemon: r.OldDaemon,
	}
}

// front is what both compilers share of a frontend.
type front struct {
	asked   *Request
	gateway *Gateway
	ui      *dockerui.Client
	source  *llb.SourceMap
	caps    apicaps.CapSet
}

func (r *Request) open(ctx context.Context) (*front, error) {
	g := r.gateway()
	ui, err := dockerui.NewClient(g)
	if err != nil {
		return nil, err
	}
	// This reads Dockerfile.dockerignore, too. The source map that it gives
	// refers to a local source with a random id: ours does not.
	src, err := ui.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil, err
	}
	return &front{caps: ui.BuildOpts().LLBCaps, asked: r, gateway: g, ui: ui, source: llb.NewSourceMap(nil, src.Filename, src.Language, src.Data)}, nil
}

// platforms returns the target platforms, nil for none in particular.
func (f *front) platforms() []*ocispecs.Platform {
	var list []*ocispecs.Platform
	for _, p := range f.ui.TargetPlatforms {
		list = append(list, &p)
	}
	if len(list) == 0 {
		return []*ocispecs.Platform{nil}
	}
	return list
}

// Ours runs a request through this repository's compiler.
func Ours(ctx context.Context, r Request) Outcome { return r.run(ctx, (*front).ours) }

// Upstream runs a request through docker/dockerfile's compiler. Without the
// Oracle it says nothing, which differs from nothing.
func Upstream(ctx context.Context, r Request) Outcome {
	if !Oracle {
		return Outcome{Err: errSilent}
	}
	return r.run(ctx, (*front).upstream)
}

type compileFunc func(*front, context.Context, *ocispecs.Platform, *Build) error

func (r *Request) run(ctx context.Context, compile compileFunc) (out Outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = Outcome{Panic: fmt.Sprint(p), Err: fmt.Errorf("panic: %v", p)}
		}
	}()
	f, err := r.open(ctx)
	if err != nil {
		return Outcome{Err: err}
	}
	for _, p := range f.platforms() {
		b := Build{Platform: "unspecified"}
		if p != nil {
			b.Platform = platforms.FormatAll(*p)
		}
		if err := compile(f, ctx, p, &b); err != nil {
			return Outcome{Err: err}
		}
		b.Lookups = f.gateway.Lookups()
		out.Builds = append(out.Builds, b)
	}
	return out
}

func (f *front) upstream(ctx context.Context, p *ocispecs.Platform, b *Build) error {
	opt := f.convertOpt(p)
	var mu sync.Mutex // upstream warns in goroutines
	opt.Warn = func(rule, description, url, text string, where []parser.Range) {
		mu.Lock()
		defer mu.Unlock()
		b.warn(rule, description, url, text, where)
	}
	res, err := dockerfile2llb.Dockerfile2LLB(ctx, f.source.Data, opt)
	if err != nil {
		return err
	}
	b.IgnoreCache = res.IsIgnoreCache
	return b.complete(ctx, res.State, res.SBOM.Extras, res.Image, res.BaseImage, res.Epoch)
}

func (f *front) convertOpt(p *ocispecs.Platform) dockerfile2llb.ConvertOpt {
	opt := dockerfile2llb.ConvertOpt{
		Config:         f.ui.Config,
		Client:         f.ui,
		SourceMap:      f.source,
		MetaResolver:   f.gateway,
		TargetPlatform: p,
	}
	opt.BuildArgs = maps.Clone(opt.BuildArgs) // which it changes
	return opt
}

func (f *front) ours(ctx context.Context, p *ocispecs.Platform, b *Build) error {
	req := f.request(p)
	req.Warn = func(_ dockerfile.FileID, rule, description, url, msg string, where []parser.Range) {
		b.warn(rule, description, url, msg, where)
	}
	change := func(p *plan.Plan) (*plan.Plan, error) { return p, nil }
	if f.asked.ThroughJSON {
		change = throughJSON
	}
	res, err := compiler.CompileOf(ctx, req, change)
	if err != nil {
		return err
	}
	if err := res.Plan.Check(); err != nil {
		return fmt.Errorf("broken plan: %w", err)
	}
	b.IgnoreCache = res.IgnoreCache
	target := res.Plan.Target()
	if err := b.complete(ctx, res.State, res.Scan, &target.Image, target.Original, res.Plan.Epoch); err != nil {
		return err
	}
	if f.asked.ThroughJSON {
		return nil // which has no graph to check by
	}
	return CheckOperations(ctx, res, b.Def)
}

// throughJSON returns a plan written as JSON and read again. It has no graph.
func throughJSON(p *plan.Plan) (*plan.Plan, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var read plan.Plan
	if err := json.Unmarshal(data, &read); err != nil {
		return nil, err
	}
	again, err := json.Marshal(&read)
	if err == nil && !bytes.Equal(data, again) {
		err = fmt.Errorf("the plan as JSON is\n%s\nand read and written again\n%s", data, again)
	}
	if want, got := p.String(), read.String(); err == nil && want != got {
		err = fmt.Errorf("the plan is\n%s\nand after JSON\n%s", want, got)
	}
	return &read, err
}

// Compile returns what our compiler makes of a request, for its first platform.
func Compile(ctx context.Context, r Request) (*compiler.Compiled, error) {
	f, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	return compiler.Compile(ctx, f.request(f.platforms()[0]))
}

func (f *front) request(p *ocispecs.Platform) compiler.Request {
	caps := f.caps
	files := dockerfile.NewFiles("Dockerfile", f.source.Data, f.asked.read)
	return compiler.Request{
		Config:         f.ui.Config,
		Files:          files,
		TargetPlatform: p,
		Sources:        &sources{ui: f.ui, target: p},
		MainContext: func(ctx context.Context, paths []string) (*llb.State, error) {
			return f.ui.MainContext(ctx, followPaths(paths)...)
		},
		Ignore:       f.ui.DockerIgnorePatterns,
		OtherContext: otherContext,
		NoCache:      f.ui.IsNoCache,
		SourceMap:    func(file dockerfile.FileID) *llb.SourceMap { return f.sourceOf(files, file) },
		Caps:         &caps,
		Build:        "session",
	}
}

// Compiler returns the request as our compiler takes it, for the first of its
// platforms. Each call returns files of their own.
func (r Request) Compiler(ctx context.Context) (compiler.Request, error) {
	f, err := r.open(ctx)
	if err != nil {
		return compiler.Request{}, err
	}
	return f.request(f.platforms()[0]), nil
}

// Show returns what our compiler makes of a request as files of a golden case: the
// warnings, the plan and the LLB, or the error. The request is for one
// platform.
func Show(ctx context.Context, r Request) []txtar.File {
	f, err := r.open(ctx)
	if err != nil {
		return showError(err)
	}
	var warnings []string
	req := f.request(f.platforms()[0])
	req.Warn = func(file dockerfile.FileID, rule, _, _, msg string, where []parser.Range) {
		warnings = append(warnings, fmt.Sprintf("%sline %s: %s: %s\n", inFile(file), placeOf(where), rule, msg))
	}
	res, err := compiler.Compile(ctx, req)
	var files []txtar.File
	if len(warnings) > 0 {
		slices.Sort(warnings)
		files = append(files, txtar.File{Name: "warnings", Data: []byte(strings.Join(warnings, ""))})
	}
	if err != nil {
		return append(files, showError(err)...)
	}
	def, err := marshal(ctx, res.State)
	if err != nil {
		return append(files, showError(err)...)
	}
	return append(files,
		txtar.File{Name: "plan", Data: []byte(res.Plan.String())},
		txtar.File{Name: "llb", Data: []byte(lower.Print(def))},
	)
}

func showError(err error) []txtar.File {
	return []txtar.File{{Name: "error", Data: fmt.Appendf(nil, "%sline %d: %v\n", inFile(dockerfile.FileOf(err)), firstLine(err), err)}}
}

// inFile returns the beginning of a place that is not in the Dockerfile itself.
func inFile(id dockerfile.FileID) string {
	if id == 0 {
		return ""
	}
	return fmt.Sprintf("file %d ", id)
}

// sourceOf returns a file of a compilation for locations in LLB.
func (f *front) sourceOf(files *dockerfile.Files, id dockerfile.FileID) *llb.SourceMap {
	if id == 0 {
		return f.source
	}
	src := files.Source(id)
	return llb.NewSourceMap(nil, src.Name(), f.source.Language, src.Data)
}

// read gets a further file.
func (r *Request) read(root dockerfile.Root, path string) ([]byte, error) {
	files := r.Beside
	if root == dockerfile.InContext {
		files = r.InContext
	}
	text, ok := files[path]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", path)
	}
	return []byte(text), nil
}

// otherContext returns a build context of FROM --context, as a local source of that
// name.
func otherContext(_ context.Context, c stage.Context, paths []string) (*llb.State, error) {
	st := llb.Local("other:"+c.Dir+c.Named, followPaths(paths)...)
	return &st, nil
}

// Build is what a compiler made for one platform.
type Build struct {
	Platform string
	Def      *llb.Definition
	// Scan are the filesystems for the SBOM besides the result.
	Scan        map[string]*llb.Definition
	Image, Base string // as JSON
	Epoch       string
	IgnoreCache bool
	Warnings    []Warning
	Lookups     []string
}

// Warning is a finding of a build check.
type Warning struct {
	Rule, Description, URL, Text string
	Where                        []parser.Range
}

func (b *Build) warn(rule, description, url, text string, where []parser.Range) {
	b.Warnings = append(b.Warnings, Warning{rule, description, url, text, where})
}

func (b *Build) complete(ctx context.Context, st llb.State, scan map[string]llb.State, img, base *dockerspec.DockerOCIImage, epoch *time.Time) error {
	var err error
	if b.Def, err = marshal(ctx, st); err != nil {
		return err
	}
	b.Scan = map[string]*llb.Definition{}
	for name, st := range scan {
		if b.Scan[name], err = marshal(ctx, st); err != nil {
			return err
		}
	}
	if b.Image, err = toJSON(img); err != nil {
		return err
	}
	if base != nil {
		if b.Base, err = toJSON(base); err != nil {
			return err
		}
	}
	if epoch != nil {
		b.Epoch = strconv.FormatInt(epoch.Unix(), 10)
	}
	return nil
}

// marshal gives local sources the same id in all definitions; it is random
// otherwise, and all digests behind it with it.
func marshal(ctx context.Context, st llb.State) (*llb.Definition, error) {
	return st.Marshal(ctx, llb.LocalUniqueID("unique"))
}

func toJSON(v any) (string, error) {
	dt, err := json.MarshalIndent(v, "", "  ")
	return string(dt), err
}

var _ gwclient.Client = (*Gateway)(nil)
