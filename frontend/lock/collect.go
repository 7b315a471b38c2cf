package lock

import (
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

// Fetch is an operation that fetches a source.
type Fetch struct {
	// Op is what BuildKit would carry out.
	Op *pb.SourceOp
	// Ref is the reference of the source without the digest that was found
	// for it: see Source.Ref.
	Ref string
	// Digest is known for an image that was looked up; else empty.
	Digest string
	// Platform is nil for what is no image.
	Platform *ocispecs.Platform
	// UsedBy is where the Dockerfile names it; empty where it does not.
	UsedBy []string

	locations []*pb.Location
	source    *pb.Source
}

// Fetches returns what a definition fetches over the network, in its order.
// own reports whether an operation is the build context or the Dockerfile
// itself: these are what is built, and not what it is made from.
func Fetches(def *llb.Definition, own func(*pb.SourceOp) bool) ([]Fetch, error) {
	var list []Fetch
	places, err := places(def)
	if err != nil {
		return nil, err
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, errors.WithStack(err)
		}
		src := op.GetSource()
		if src == nil || !remote(src.Identifier) || own(src) {
			continue
		}
		f := Fetch{Op: src, Ref: src.Identifier, source: def.Source}
		f.locations = places[digest.FromBytes(dt).String()]
		for _, loc := range f.locations {
			if len(loc.Ranges) > 0 {
				f.UsedBy = append(f.UsedBy, fmt.Sprintf("%s:%d", def.Source.Infos[loc.SourceIndex].Filename, loc.Ranges[0].Start.Line))
			}
		}
		if ref, ok := strings.CutPrefix(src.Identifier, imageScheme); ok {
			if err := f.image(ref, op.Platform); err != nil {
				return nil, err
			}
		}
		list = append(list, f)
	}
	return list, nil
}

// places returns where the Dockerfile names each operation, by digest. What ADD
// fetches has no place of its own: it is that of the ADD.
func places(def *llb.Definition) (map[string][]*pb.Location, error) {
	found := map[string][]*pb.Location{}
	if def.Source == nil {
		return found, nil
	}
	for dgst, locs := range def.Source.Locations {
		found[dgst] = locs.GetLocations()
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, errors.WithStack(err)
		}
		user := def.Source.Locations[digest.FromBytes(dt).String()].GetLocations()
		for _, in := range op.Inputs {
			if len(def.Source.Locations[in.Digest].GetLocations()) == 0 {
				found[in.Digest] = append(found[in.Digest], user...)
			}
		}
	}
	return found, nil
}

// remote reports whether a source is one that can move: not what the client
// sends.
func remote(identifier string) bool {
	scheme, _, _ := strings.Cut(identifier, "://")
	return scheme == "docker-image" || scheme == "git" || strings.HasPrefix(scheme, "http")
}

// image takes the reference of an image apart. The digest that the compiler
// found stands behind the tag; a reference that has no tag has its digest from
// the Dockerfile.
func (f *Fetch) image(ref string, p *pb.Platform) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return errors.Wrap(err, ref)
	}
	f.Ref = named.String()
	if canonical, ok := named.(reference.Canonical); ok {
		f.Digest = canonical.Digest().String()
		if tagged, ok := named.(reference.Tagged); ok {
			if f.Ref, err = withTag(named, tagged.Tag()); err != nil {
				return err
			}
		}
	}
	if p != nil {
		spec := platforms.Normalize(p.Spec())
		f.Platform = &spec
	}
	return nil
}

func withTag(named reference.Named, tag string) (string, error) {
	tagged, err := reference.WithTag(reference.TrimNamed(named), tag)
	if err != nil {
		return "", errors.WithStack(err)
	}
	return tagged.String(), nil
}

// Source returns the entry of a fetch whose digest is known.
func (f *Fetch) Source(digest string) Source {
	s := Source{Ref: f.Ref, Digest: digest, UsedBy: f.UsedBy}
	if f.Platform != nil {
		s.Platforms = []string{platforms.FormatAll(*f.Platform)}
	}
	return s
}

// FullName returns the reference of an image as entries have it.
func FullName(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", errors.Wrap(err, ref)
	}
	return reference.TagNameOnly(named).String(), nil
}
