package docker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// Outline is what a target asks of the client, and what UNSET removes from it.
type Outline struct {
	outline.Outline
	// Unset is what UNSET removes from the target.
	Unset []Unset `json:"unset,omitempty"`
	// Files are the names of the sources, where there are several.
	Files []string `json:"files,omitempty"`
}

// Unset is an UNSET instruction.
type Unset struct {
	Instruction string       `json:"instruction"`
	Name        string       `json:"name,omitempty"`
	Location    *pb.Location `json:"location,omitempty"`
}

// NewOutline returns the outline of a target with a name and a description that
// asks for something, itself or its gates.
func NewOutline(name, description string, asked plan.Outline, sources *Sources) *Outline {
	o := &Outline{Outline: outline.Outline{
		Name:        name,
		Description: description,
		Sources:     sources.Data,
		Args:        make([]outline.Arg, 0, len(asked.Args)),
		Secrets:     make([]outline.Secret, 0, len(asked.Secrets)),
		SSH:         make([]outline.SSH, 0, len(asked.SSH)),
	}}
	if len(sources.Names) > 1 {
		o.Files = sources.Names
	}
	for _, a := range asked.Args {
		o.Args = append(o.Args, outline.Arg{
			Name:        a.Definition.Key,
			Value:       a.Value,
			Description: a.Definition.DocComment,
			Location:    Location(a.Loc),
		})
	}
	for _, s := range asked.Secrets {
		o.Secrets = append(o.Secrets, outline.Secret(requirement(s)))
	}
	for _, s := range asked.SSH {
		o.SSH = append(o.SSH, outline.SSH(requirement(s)))
	}
	for _, u := range asked.Unset {
		o.Unset = append(o.Unset, Unset{Instruction: u.What, Name: u.Name, Location: Location(u.Loc)})
	}
	outgoing.Values(o)
	return o
}

// Extend adds to docker/dockerfile's answer what only ours has.
func (o *Outline) Extend(a answer.Answer) (answer.Answer, error) {
	if o.Unset == nil && o.Files == nil {
		return a, nil
	}
	var err error
	if a.JSON, err = json.MarshalIndent(o, "", "  "); err != nil {
		return answer.Answer{}, err
	}
	if o.Unset != nil {
		// A client that prints the answer itself does not know of UNSET.
		a.Version = ExtendedVersion
		a.Text += o.unsetText()
	}
	return a, nil
}

func (o *Outline) unsetText() string {
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
	return outline.Secret{Name: r.Name, Required: r.Required, Location: Location(r.Loc)}
}
