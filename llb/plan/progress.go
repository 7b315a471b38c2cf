package plan

import (
	"fmt"
	"math"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// counter makes the progress names of a stage, such as
// "[linux/amd64 build 2/5] RUN make".
type counter struct {
	label        string
	index, total int
	platform     bool // names carry the platform
	onBuild      bool // of a trigger
}

// announced returns how many steps the progress of a stage counts: its base
// image, its filesystem instructions and all its triggers. Of what a named
// context replaces, and of an image, it counts the triggers alone.
func announced(n *stage.Node) int {
	total := triggers(n)
	if n.Replaced || n.Kind == stage.External {
		return total
	}
	if n.Ref != stage.Scratch && n.Base == stage.None {
		total++
	}
	if n.Squash {
		total++
	}
	for i := range n.Steps {
		switch n.Steps[i].Command.(type) {
		case *instructions.AddCommand, *instructions.CopyCommand, *instructions.RunCommand, *instructions.WorkdirCommand:
			if !n.Steps[i].OnBuild {
				total++
			}
		}
	}
	return total
}

// triggers returns how many instructions of a stage are triggers of its base.
func triggers(n *stage.Node) int {
	fired := 0
	for i := range n.Steps {
		if n.Steps[i].OnBuild {
			fired++
		}
	}
	return fired
}

// next returns the name of the next step. env may say which platform the step
// compiles for.
func (c *counter) next(text string, p *ocispecs.Platform, env shell.EnvGetter) string {
	if c.total > 0 {
		c.index++
	}
	return c.current(text, p, env)
}

// skip leaves out some numbers.
func (c *counter) skip(steps int) {
	if c.total > 0 {
		c.index += steps
	}
}

// current returns a further name for the same step.
func (c *counter) current(text string, p *ocispecs.Platform, env shell.EnvGetter) string {
	if c.total == 0 {
		return text
	}
	var b strings.Builder
	b.WriteByte('[')
	if c.platform && p != nil {
		b.WriteString(platforms.FormatAll(*p) + crossPlatform(*p, env) + " ")
	}
	if c.label != "" {
		b.WriteString(c.label + " ")
	}
	width := int(1 + math.Log10(float64(c.total)))
	fmt.Fprintf(&b, "%*d/%d] ", width, c.index, c.total)
	if c.onBuild {
		b.WriteString("ONBUILD ")
	}
	return b.String() + text
}

// crossPlatform is "->arm64" for a stage on one platform that declares ARGs
// for another.
func crossPlatform(base ocispecs.Platform, env shell.EnvGetter) string {
	target := targetOf(env)
	if target == nil {
		return ""
	}
	if target.OS == "" {
		target.OS = base.OS
	}
	if target.Architecture == "" {
		target.Architecture = base.Architecture
	}
	p := platforms.Normalize(*target)
	switch {
	case p.OS != base.OS:
		return "->" + platforms.FormatAll(p)
	case p.Architecture == base.Architecture:
		return ""
	case p.Variant != "":
		return "->" + p.Architecture + "/" + p.Variant
	default:
		return "->" + p.Architecture
	}
}

// targetOf returns the platform of the TARGET variables that are declared.
func targetOf(env shell.EnvGetter) *ocispecs.Platform {
	var p *ocispecs.Platform
	part := func() *ocispecs.Platform {
		if p == nil {
			p = &ocispecs.Platform{}
		}
		return p
	}
	for _, key := range env.Keys() {
		v, _ := env.Get(key)
		switch key {
		case "TARGETPLATFORM":
			if whole, err := platforms.Parse(v); err == nil {
				return &whole
			}
		case "TARGETOS":
			part().OS = v
		case "TARGETARCH":
			part().Architecture = v
		case "TARGETVARIANT":
			part().Variant = v
		}
	}
	return p
}

// title returns an instruction as progress shows it: variables expanded where that
// works, the keyword in upper case.
func title(lex *shell.Lex, code string, env shell.EnvGetter) string {
	return titleOf(lex, []stage.Piece{{Text: code}}, env)
}

// titleOf returns the title of an instruction in pieces.
func titleOf(lex *shell.Lex, pieces []stage.Piece, env shell.EnvGetter) string {
	var b strings.Builder
	for _, p := range pieces {
		if !p.Expanded {
			if text, _, err := lex.ProcessWord(p.Text, env); err == nil {
				p.Text = text
			}
		}
		b.WriteString(p.Text)
	}
	word, rest, ok := strings.Cut(b.String(), " ")
	word = strings.ToUpper(word)
	if !ok {
		return word
	}
	return word + " " + rest
}
