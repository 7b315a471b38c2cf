package measure

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
)

// layer is a layer as an exporter makes it: the difference of two states.
type layer struct {
	// lower is nil for the empty filesystem.
	lower, upper *pb.Input
	// image is all layers of an image at once. How many these are is for the daemon to say.
	image bool
}

// layers returns the layers of a state above those of another one, from the bottom; above is nil for all of
// them. BuildKit makes one of every program that runs and of every file operation. A merge stacks those of its
// inputs.
func (g *graph) layers(of, above *pb.Input) ([]layer, error) {
	if of == nil || above != nil && key(of) == key(above) {
		return nil, nil
	}
	op := g.ops[digest.Digest(of.Digest)]
	if op == nil {
		return nil, errors.Errorf("no operation %s", of.Digest)
	}
	switch kind := op.Op.(type) {
	case *pb.Op_Source:
		return []layer{{upper: of, image: isImage(kind.Source)}}, nil
	case *pb.Op_Exec:
		for _, m := range kind.Exec.Mounts {
			if m.Output == of.Index {
				return g.on(input(op, m.Input), of, above)
			}
		}
	case *pb.Op_File:
		for _, a := range kind.File.Actions {
			if a.Output == of.Index {
				return g.on(fileInput(op, kind.File, a), of, above)
			}
		}
	case *pb.Op_Merge:
		var all []layer
		for _, in := range kind.Merge.Inputs {
			part, err := g.layers(input(op, in.Input), above)
			if err != nil {
				return nil, err
			}
			all = append(all, part...)
			above = nil // only what the others are laid over can stand on it
		}
		return all, nil
	default:
		return []layer{{upper: of}}, nil
	}
	return nil, errors.Errorf("operation %s has no output %d", of.Digest, of.Index)
}

// on returns the layers of a state that is made from a lower one.
func (g *graph) on(lower, of, above *pb.Input) ([]layer, error) {
	below, err := g.layers(lower, above)
	return append(below, layer{lower: lower, upper: of}), err
}

// input returns an input of an operation, nil for the empty filesystem.
func input(op *pb.Op, index int64) *pb.Input {
	if index < 0 || int(index) >= len(op.Inputs) {
		return nil
	}
	return op.Inputs[index]
}

// fileInput returns the state that the first of a chain of actions on files changes.
func fileInput(op *pb.Op, file *pb.FileOp, a *pb.FileAction) *pb.Input {
	for range file.Actions {
		if int(a.Input) < len(op.Inputs) {
			break
		}
		a = file.Actions[int(a.Input)-len(op.Inputs)]
	}
	return input(op, a.Input)
}

const (
	dockerImage = "docker-image://"
	ociLayout   = "oci-layout://"
)

func isImage(s *pb.SourceOp) bool {
	return strings.HasPrefix(s.Identifier, dockerImage) || strings.HasPrefix(s.Identifier, ociLayout)
}

// outputKey makes outputs comparable.
type outputKey string

func key(in *pb.Input) outputKey {
	return outputKey(fmt.Sprintf("%s:%d", in.Digest, in.Index))
}
