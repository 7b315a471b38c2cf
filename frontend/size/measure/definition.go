package measure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Program is the program that measures, in its image.
type Program struct {
	Image llb.State
	// Path of the executable in the image.
	Path string
	// Caps are what the daemon can do.
	Caps apicaps.CapSet
}

// Argument is the first argument of the program when it is to measure. The second is a [walk.Spec].
const Argument = "measure"

// Definition is the LLB that measures.
type Definition struct {
	*pb.Definition
	// Stages are the results, by stage.
	Stages map[stage.ID]Chain
}

// Chain are the layers of a stage, from the bottom, as they are measured.
type Chain struct {
	// File of the result, a [walk.Result] in JSON.
	File string
	// Steps are the steps that made the layers. Layers of a base, many or one, are from plan.BaseStep of the
	// stage that first names it.
	Steps []plan.StepID
	// Own is how many of the layers, at the end, are the stage's own.
	Own int
	// Whole says that a base of several layers counts as one, because the daemon does not show them.
	Whole bool
}

// Define returns the LLB that measures, with the number of layers of each of the images. Solved, it is a folder
// with the files that the chains name.
func (images *Images) Define(ctx context.Context, program Program, layers map[digest.Digest]int) (*Definition, error) {
	d := &definer{Plan: images.Plan, program: program, layers: layers, made: map[*segment]*measured{}}
	var err error
	if d.root, err = d.graph.state(ctx, program.Image); err != nil {
		return nil, err
	}
	for _, s := range d.segments {
		if d.made[s], err = d.measure(s); err != nil {
			return nil, err
		}
	}
	def := &Definition{Stages: map[stage.ID]Chain{}}
	collect := &collection{files: &pb.FileOp{}, op: &pb.Op{}}
	for _, id := range slices.Sorted(maps.Keys(d.byStage)) {
		if m := d.made[d.byStage[id]]; m.out != nil { // else it is an empty filesystem
			m.chain.File = strconv.Itoa(int(id)) + ".json"
			def.Stages[id] = m.chain
			collect.add(m.out, m.chain.File)
		}
	}
	if len(def.Stages) == 0 {
		return def, nil
	}
	collect.op.Op = &pb.Op_File{File: collect.files}
	dgst, err := d.graph.add(collect.op, "collecting sizes", string(pb.CapFileBase))
	if err != nil {
		return nil, err
	}
	def.Definition, err = d.graph.definition(&pb.Input{Digest: string(dgst)})
	return def, err
}

type definer struct {
	*Plan
	program Program
	layers  map[digest.Digest]int
	root    *pb.Input
	made    map[*segment]*measured
}

// measured is a segment after its step was made.
type measured struct {
	out   *pb.Input // nil where there is nothing to measure
	chain Chain
}

// measure makes the step of a segment.
func (d *definer) measure(s *segment) (*measured, error) {
	m := &measured{}
	if s.below != nil {
		below := d.made[s.below]
		*m = *below
		m.chain.Own = 0
	}
	st := &step{numbers: map[outputKey]int{}}
	for _, p := range s.parts {
		layers, whole, err := d.expand(p.layer)
		if err != nil {
			return nil, err
		}
		m.chain.Whole = m.chain.Whole || whole
		for _, l := range layers {
			st.spec.Layers = append(st.spec.Layers, walk.Layer{Lower: st.mount(l.lower), Upper: st.mount(l.upper), Unpacked: l.image})
			m.chain.Steps = append(m.chain.Steps[:len(m.chain.Steps):len(m.chain.Steps)], p.step)
			m.chain.Own++
		}
	}
	if len(st.spec.Layers) == 0 {
		return m, nil
	}
	op, caps, err := d.exec(st, m.out)
	if err != nil {
		return nil, err
	}
	dgst, err := d.graph.add(op, "measuring "+s.name, caps...)
	m.out = &pb.Input{Digest: string(dgst), Index: resultOutput}
	return m, err
}

// expand returns a layer, or the layers of an image: what the image has when it is limited to its first layers,
// as long as the daemon can do so. Whole reports that it cannot and counts several as one.
func (d *definer) expand(l layer) (_ []layer, whole bool, _ error) {
	if !l.image {
		return []layer{l}, false, nil
	}
	count := d.layers[digest.Digest(l.upper.Digest)]
	if count == 0 {
		return nil, false, nil
	}
	if count > 1 && d.program.Caps.Supports(pb.CapSourceImageLayerLimit) != nil {
		return []layer{l}, true, nil
	}
	var all []layer
	var below *pb.Input
	for n := 1; n < count; n++ {
		limited, err := d.limited(l.upper, n)
		if err != nil {
			return nil, false, err
		}
		all = append(all, layer{lower: below, upper: limited, image: true})
		below = limited
	}
	return append(all, layer{lower: below, upper: l.upper, image: true}), false, nil
}

// limited adds the operation for the first n layers of an image.
func (d *definer) limited(image *pb.Input, n int) (*pb.Input, error) {
	op := d.graph.ops[digest.Digest(image.Digest)].CloneVT()
	source := op.GetSource()
	attr := pb.AttrImageLayerLimit
	if strings.HasPrefix(source.Identifier, ociLayout) {
		attr = pb.AttrOCILayoutLayerLimit
	}
	if source.Attrs == nil {
		source.Attrs = map[string]string{}
	}
	source.Attrs[attr] = strconv.Itoa(n)
	_, name, _ := strings.Cut(source.Identifier, "://")
	dgst, err := d.graph.add(op, fmt.Sprintf("the first %d layers of %s", n, name), string(pb.CapSourceImageLayerLimit))
	return &pb.Input{Digest: string(dgst)}, err
}
