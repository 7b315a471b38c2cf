package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/util/suggest"
	"github.com/moby/buildkit/util/system"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Base is what a stage is built from: plain values. Nothing in it is changed
// later; plan clones the image.
type Base struct {
	// Ref is the image to fetch, with its digest where that is known. Empty
	// for a filesystem that is not fetched as an image: Context is set, or
	// the filesystem is empty.
	Ref string
	// Context is the named context that it is, nil for none. Resolved.Open
	// has the content.
	Context *NamedContext
	// Name is what messages call the image.
	Name string
	// Missed is in how many rounds of triggers nobody needed the base yet.
	// Progress counts them as steps.
	Missed int
	// Image is the config that the stage starts with, without its triggers
	// and time; the zero value for a context that is no image.
	Image dockerspec.DockerOCIImage
	// Original is the config of the base image as it is recorded in the
	// result, nil where there is none.
	Original *dockerspec.DockerOCIImage
	Triggers []string
	// Platform of the stage, nil where nothing says which it is.
	Platform *ocispecs.Platform
	// StatePlatform is the platform that LLB knows the filesystem to have,
	// nil for none: exec operations on it are then for the target platform.
	StatePlatform *ocispecs.Platform
}

// NamedContext is what the client gave in the place of an image or a stage.
type NamedContext struct {
	Name string // under which the frontend found it
}

// scratchBase returns the empty image. Where a unit has a platform of its own, what
// runs on it needs to be told.
func scratchBase(u *stage.Unit) *Base {
	target := u.Platforms.Target
	b := &Base{Image: emptyImage(target), Platform: &target}
	if u.Settings.Platform != nil {
		statePlatform := platforms.Normalize(target)
		b.StatePlatform = &statePlatform
	}
	return b
}

// normalize checks a reference and completes it: docker.io, library/, :latest.
func normalize(ref string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		err = errors.Wrapf(err, "failed to parse stage name %q", ref)
		return nil, err
	}
	return reference.TagNameOnly(named), nil
}

// fileHint says how a stage of another file is written, where a node may have
// been meant to be one.
func fileHint(n *stage.Node) string {
	if strings.Contains(n.From.BaseName, `\`) {
		return stage.FileHint(n.From.BaseName) // its backslashes were taken for escapes
	}
	return stage.FileHint(n.Ref)
}

// withHint adds to an error what else may have been meant; an empty hint says
// nothing.
func withHint(err error, hint string) error {
	if hint == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, hint)
}

func (r *resolver) resolveBase(ctx context.Context, w lookup) (*Base, error) {
	n, ref := w.node, w.ref
	platform := r.platformOf(n)
	switch {
	case n.Replaced:
		return r.replacement(ctx, n)
	case n.Kind == stage.External && w.missed > 0:
		return unresolvedBase(ref, platform), nil
	}
	if ok, err := r.src.HasContext(ref.String(), &platform); err != nil {
		return nil, err
	} else if ok {
		return r.contextBase(ctx, n, ref.String(), platform)
	}
	return r.imageBase(ctx, w, platform)
}

// unresolvedBase returns an image of which only the name is known. It is what an
// image in COPY --from is where only a trigger made its stage needed: so it is
// in docker/dockerfile, and looking it up would change cache keys.
func unresolvedBase(ref reference.Named, platform ocispecs.Platform) *Base {
	statePlatform := platforms.Normalize(platform)
	return &Base{Ref: ref.String(), Platform: &platform, StatePlatform: &statePlatform}
}

// replacement opens the named context that stands in for a whole stage.
func (r *resolver) replacement(ctx context.Context, n *stage.Node) (*Base, error) {
	platform := n.Platform
	if platform == nil {
		platform = r.graph.UnitOf(n).Settings.Platform
	}
	c, err := r.openContext(ctx, n, n.Replacement, platform)
	if err != nil {
		return nil, err
	}
	b := &Base{Context: &NamedContext{n.Replacement}, Platform: platform, StatePlatform: c.Platform}
	if c.Image == nil {
		return b, nil
	}
	b.setImage(*c.Image)
	if c.Image.OS != "" && c.Image.Architecture != "" {
		b.Platform = &ocispecs.Platform{
			OS:           c.Image.OS,
			Architecture: c.Image.Architecture,
			Variant:      c.Image.Variant,
			OSVersion:    c.Image.OSVersion,
			OSFeatures:   slices.Clone(c.Image.OSFeatures),
		}
	}
	return b, nil
}

// contextBase opens the named context that stands in for an image.
func (r *resolver) contextBase(ctx context.Context, n *stage.Node, name string, platform ocispecs.Platform) (*Base, error) {
	c, err := r.openContext(ctx, n, name, &platform)
	if err != nil {
		return nil, err
	}
	img := emptyImage(platform)
	if c.Image != nil {
		img = *c.Image
	}
	statePlatform := platforms.Normalize(platform)
	b := &Base{Context: &NamedContext{name}, Original: &img, Platform: &platform, StatePlatform: &statePlatform}
	b.setImage(img)
	return b, nil
}

// openContext opens a named context, and remembers the content for the node.
func (r *resolver) openContext(ctx context.Context, n *stage.Node, name string, p *ocispecs.Platform) (*Context, error) {
	c, err := r.src.Context(ctx, name, p)
	if err == nil && c == nil {
		err = errors.Errorf("named context %s has no content", name)
	}
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.contents[n.ID] = c.Open
	return c, nil
}

func (r *resolver) imageBase(ctx context.Context, w lookup, platform ocispecs.Platform) (*Base, error) {
	ref := w.ref
	log := "[internal] load metadata for " + ref.String()
	if r.opt.MultiPlatform {
		log = fmt.Sprintf("[%s internal] load metadata for %s", platforms.FormatAll(platform), ref)
	}
	found, err := r.src.Image(ctx, ref.String(), platform, log)
	if err != nil {
		options := append(r.graph.Labels(), commonImages()...)
		err = errors.Wrap(err, w.name())
		if text := r.graph.Unfound(w.node.ID); text != "" {
			err = errors.WithMessage(err, text)
		}
		err = suggest.WrapError(err, w.name(), options, true)
		return nil, withHint(err, fileHint(w.node))
	}
	if found.Ref != ref.String() {
		if ref, err = reference.ParseNormalizedNamed(found.Ref); err != nil {
			return nil, errors.Wrapf(err, "failed to parse ref %q", found.Ref)
		}
	}
	if found.Digest != "" {
		if ref, err = reference.WithDigest(ref, found.Digest); err != nil {
			return nil, err
		}
	}
	var img, original dockerspec.DockerOCIImage
	for _, config := range []*dockerspec.DockerOCIImage{&img, &original} {
		// Decoded twice: the stage edits its own copy.
		if err := json.Unmarshal(found.Config, config); err != nil {
			return nil, errors.Wrap(err, "failed to parse image config")
		}
	}
	if all := r.graph.UnitOf(w.node).Platforms; w.node.Platform == nil && all.Implicit {
		platform = detectPlatform(img.Platform, platform, all.Build)
	}
	b := &Base{Name: w.name(), Original: &original, Platform: &platform}
	b.setImage(img)
	if hasLayers(&img) {
		b.Ref = ref.String()
		statePlatform := platforms.Normalize(platform)
		b.StatePlatform = &statePlatform
	}
	return b, nil
}

// setImage takes a config as the start of a stage: the triggers are for the
// stage, the creation time is not its own.
func (b *Base) setImage(img dockerspec.DockerOCIImage) {
	b.Triggers = img.Config.OnBuild
	img.Config.OnBuild = nil
	img.Created = nil
	b.Image = img
}

// hasLayers reports whether there is anything to fetch. Images of the old
// schema 1 have no diff ids: their history tells.
func hasLayers(img *dockerspec.DockerOCIImage) bool {
	if len(img.RootFS.DiffIDs) > 0 {
		return true
	}
	return slices.ContainsFunc(img.History, func(h ocispecs.History) bool { return !h.EmptyLayer })
}

// detectPlatform returns the platform of an image for which the client named none:
// that of the image, where a build platform says how to run it.
func detectPlatform(img, target ocispecs.Platform, supported []ocispecs.Platform) ocispecs.Platform {
	for _, p := range append([]ocispecs.Platform{target}, supported...) {
		if p.OS == img.OS && p.Architecture == img.Architecture {
			return p
		}
	}
	return target
}

// emptyImage returns the config that FROM scratch starts with.
func emptyImage(p ocispecs.Platform) dockerspec.DockerOCIImage {
	var img dockerspec.DockerOCIImage
	img.Platform = p
	img.OSFeatures = slices.Clone(p.OSFeatures)
	img.RootFS.Type = "layers"
	img.Config.WorkingDir = "/"
	if p.OS != "windows" { // there the system has its own
		img.Config.Env = []string{"PATH=" + system.DefaultPathEnv(p.OS)}
	}
	return img
}

// commonImages are names that a misspelt one may have meant.
func commonImages() []string {
	var names []string
	for _, name := range []string{"alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"} {
		names = append(names, name, name+":latest")
	}
	return names
}

// checkBasePlatforms reports base images of another platform than the one
// that was asked for.
func checkBasePlatforms(g *stage.Graph, bases map[stage.ID]*Base) {
	for id := range g.Nodes {
		b := bases[stage.ID(id)]
		if b == nil || b.Ref == "" || b.Original == nil {
			continue
		}
		want, have := *b.Platform, b.Image.Platform
		if want.OS == have.OS && want.Architecture == have.Architecture {
			continue
		}
		n := g.Node(stage.ID(id))
		msg := linter.RuleInvalidBaseImagePlatform.Format(b.Name,
			platforms.FormatAll(platforms.Normalize(want)), platforms.FormatAll(platforms.Normalize(have)))
		g.UnitOf(n).File.Lint(n.Loc).Run(&linter.RuleInvalidBaseImagePlatform, n.Loc.Ranges, msg)
	}
}
