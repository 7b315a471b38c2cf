package lower

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
)

// Print returns a definition as text: a paragraph for each operation, in the order
// of the definition. Operations are called #0, #1 and so on in place of their
// digests, so that a change shows where it is and not everywhere behind it.
func Print(def *llb.Definition) string {
	p := printer{def: def, ids: map[string]int{}, groups: map[string]int{}}
	for i, dt := range def.Def {
		dgst := digest.FromBytes(dt)
		p.ids[dgst.String()] = i
		p.op(i, dgst, dt)
	}
	if def.Source != nil {
		for i, info := range def.Source.Infos {
			fmt.Fprintf(&p, "file %d: %s (%s, %d bytes)\n", i, info.Filename, info.Language, len(info.Data))
			if info.Definition != nil {
				origin, err := Mask(info.Definition)
				if err != nil {
					fmt.Fprintln(&p, err)
					continue
				}
				p.WriteString("  from\n" + indent(Print(origin)))
			}
		}
	}
	return p.String()
}

func indent(text string) string {
	return "    " + strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\n    "), "    ")
}

type printer struct {
	strings.Builder
	def    *llb.Definition
	ids    map[string]int // by digest
	groups map[string]int // progress groups by their random ids
}

func (p *printer) op(i int, dgst digest.Digest, dt []byte) {
	var op pb.Op
	if err := op.UnmarshalVT(dt); err != nil {
		fmt.Fprintf(p, "#%d malformed: %v\n", i, err)
		return
	}
	fmt.Fprintf(p, "#%d", i)
	for _, in := range op.Inputs {
		fmt.Fprintf(p, " <- #%d.%d", p.ids[in.Digest], in.Index)
	}
	p.WriteByte('\n')
	op.Inputs = nil
	text, err := json.Marshal(&op)
	if err != nil {
		text = []byte(err.Error())
	}
	fmt.Fprintf(p, "  op %s\n", text)
	p.metadata(p.def.Metadata[dgst])
	p.locations(dgst)
}

func (p *printer) metadata(md llb.OpMetadata) {
	for _, k := range slices.Sorted(maps.Keys(md.Description)) {
		fmt.Fprintf(p, "  %s %q\n", k, md.Description[k])
	}
	if md.IgnoreCache {
		p.WriteString("  no-cache\n")
	}
	if md.ExportCache != nil {
		fmt.Fprintf(p, "  export-cache %v\n", md.ExportCache.Value)
	}
	if g := md.ProgressGroup; g != nil {
		if _, ok := p.groups[g.Id]; !ok {
			p.groups[g.Id] = len(p.groups)
		}
		fmt.Fprintf(p, "  group %d %q weak=%v\n", p.groups[g.Id], g.Name, g.Weak)
	}
	if r := md.LinuxResources; r != nil {
		fmt.Fprintf(p, "  resources memory=%d swap=%d shares=%d period=%d quota=%d cpus=%q mems=%q\n", r.Memory, r.MemorySwap, r.CpuShares, r.CpuPeriod, r.CpuQuota, r.CpusetCpus, r.CpusetMems)
	}
	var caps []string
	for c, needed := range md.Caps {
		caps = append(caps, fmt.Sprintf("%s=%v", c, needed))
	}
	slices.Sort(caps)
	fmt.Fprintf(p, "  caps %s\n", strings.Join(caps, " "))
}

func (p *printer) locations(dgst digest.Digest) {
	if p.def.Source == nil {
		return
	}
	for _, loc := range p.def.Source.Locations[dgst.String()].GetLocations() {
		fmt.Fprintf(p, "  at file %d", loc.SourceIndex)
		for _, r := range loc.Ranges {
			fmt.Fprintf(p, " %d:%d-%d:%d", r.Start.Line, r.Start.Character, r.End.Line, r.End.Character)
		}
		p.WriteByte('\n')
	}
}

// Mask gives all local sources of a definition the same id, which is random
// otherwise, and the operations that stand on them their digests.
func Mask(def *pb.Definition) (*llb.Definition, error) {
	masked := &pb.Definition{Metadata: map[string]*pb.OpMetadata{}}
	digests := map[string]string{}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		if src := op.GetSource(); src != nil && src.Attrs[pb.AttrLocalUniqueID] != "" {
			src.Attrs[pb.AttrLocalUniqueID] = "unique"
		}
		for _, in := range op.Inputs {
			in.Digest = digests[in.Digest]
		}
		dt2, err := proto.MarshalOptions{Deterministic: true}.Marshal(&op)
		if err != nil {
			return nil, err
		}
		before, after := digest.FromBytes(dt).String(), digest.FromBytes(dt2).String()
		digests[before] = after
		masked.Def = append(masked.Def, dt2)
		if md := def.Metadata[before]; md != nil {
			masked.Metadata[after] = md
		}
	}
	if def.Source != nil {
		masked.Source = &pb.Source{Infos: def.Source.Infos, Locations: map[string]*pb.Locations{}}
		for dgst, loc := range def.Source.Locations {
			masked.Source.Locations[digests[dgst]] = loc
		}
	}
	out := &llb.Definition{}
	out.FromPB(masked)
	return out, nil
}
