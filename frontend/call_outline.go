package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/lower"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// extendedVersion is the version of docker/dockerfile's answers where ours
// say something that clients cannot print yet.
const extendedVersion = "1.1.0"

// outlineAnswer is the answer of docker/dockerfile, and what ours has besides.
type outlineAnswer struct {
	outline.Outline
	// Unset is what UNSET removes from the target.
	Unset []unsetAnswer `json:"unset,omitempty"`
	// Files are the names of the sources, where there are several.
	Files []string `json:"files,omitempty"`
}

type unsetAnswer struct {
	Instruction string       `json:"instruction"`
	Name        string       `json:"name,omitempty"`
	Location    *pb.Location `json:"location,omitempty"`
}

// outlineCall lists the args, secrets and agents of the target, and what UNSET
// removes from it.
func outlineCall(ctx context.Context, r *request) (answer.Answer, error) {
	c := r.compilation(ctx, gateway.Goal{}).warning(r.reporter(ctx), nil)
	p, err := c.evaluate(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	sources := newAnswerSources(r)
	asked := sources.outline(c, p)
	for _, gate := range compiler.Gates(p) {
		// A build needs what its gates need.
		g := c.gate(ctx, gate)
		gated, err := g.evaluate(ctx)
		if err != nil {
			return answer.Answer{}, err
		}
		asked.Add(sources.outline(g, gated))
	}
	from := p.Target().Node.From
	o := outlineAnswer{Outline: outline.Outline{
		Name:        p.Graph.TargetName(p.Target().ID),
		Description: from.DocComment,
		Sources:     sources.data,
		Args:        make([]outline.Arg, 0, len(asked.Args)),
		Secrets:     make([]outline.Secret, 0, len(asked.Secrets)),
		SSH:         make([]outline.SSH, 0, len(asked.SSH)),
	}}
	if len(sources.names) > 1 {
		o.Files = sources.names
	}
	for _, a := range asked.Args {
		o.Args = append(o.Args, outline.Arg{
			Name:        a.Definition.Key,
			Value:       a.Value,
			Description: a.Definition.DocComment,
			Location:    location(a.Loc),
		})
	}
	for _, s := range asked.Secrets {
		o.Secrets = append(o.Secrets, outline.Secret(requirement(s)))
	}
	for _, s := range asked.SSH {
		o.SSH = append(o.SSH, outline.SSH(requirement(s)))
	}
	for _, u := range asked.Unset {
		o.Unset = append(o.Unset, unsetAnswer{Instruction: u.What, Name: u.Name, Location: location(u.Loc)})
	}
	outgoing.Values(&o) // clients print them
	return o.answer()
}

// answer returns the answer for the client. Without what only ours has it is
// docker/dockerfile's, byte for byte.
func (o *outlineAnswer) answer() (answer.Answer, error) {
	a, err := upstream(o.ToResult())
	if err != nil || o.Unset == nil && o.Files == nil {
		return a, err
	}
	if a.JSON, err = json.MarshalIndent(o, "", "  "); err != nil {
		return answer.Answer{}, err
	}
	if o.Unset != nil {
		// A client that prints the answer itself does not know of UNSET.
		a.Version = extendedVersion
		a.Text += o.unsetText()
	}
	return a, nil
}

func (o *outlineAnswer) unsetText() string {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprint(table, "UNSET\tNAME\n")
	for _, u := range o.Unset {
		fmt.Fprintf(table, "%s\t%s\n", u.Instruction, u.Name)
	}
	_ = table.Flush() // a buffer takes everything
	text.WriteByte('\n')
	return text.String()
}

func requirement(r plan.Requirement) outline.Secret {
	return outline.Secret{Name: r.Name, Required: r.Required, Location: location(r.Loc)}
}

// location is a place in an answer whose files are numbered as in answerSources.
func location(loc dockerfile.Loc) *pb.Location {
	if len(loc.Ranges) == 0 {
		return nil
	}
	return &pb.Location{SourceIndex: int32(loc.File), Ranges: lower.Ranges(loc.Ranges)}
}

// answerSources are the files that the locations of an answer are in. Each
// compilation has numbers of its own for them.
type answerSources struct {
	names []string
	data  [][]byte
}

func newAnswerSources(r *request) *answerSources {
	return &answerSources{names: []string{r.Dockerfile.Filename}, data: [][]byte{r.Dockerfile.Data}}
}

// in is a location of a compilation with the answer's number of the file.
func (a *answerSources) in(c *compilation, loc dockerfile.Loc) dockerfile.Loc {
	if loc.File == 0 {
		return loc
	}
	src := c.Files.Source(loc.File)
	for i, name := range a.names {
		if i > 0 && name == src.Name() {
			loc.File = dockerfile.FileID(i)
			return loc
		}
	}
	loc.File = dockerfile.FileID(len(a.names))
	a.names = append(a.names, src.Name())
	a.data = append(a.data, src.Data)
	return loc
}

// outline is what a plan of a compilation asks for.
func (a *answerSources) outline(c *compilation, p *plan.Plan) plan.Outline {
	return p.Outline().Relocate(func(loc dockerfile.Loc) dockerfile.Loc { return a.in(c, loc) })
}
