package plan

import (
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// run executes a command line. Any file may matter to it, so that all of a
// context that the stage stands on is needed.
func (e *stageEval) run(step *Step, in *stage.Instruction, c *instructions.RunCommand) error {
	e.need(Source{Base: e.root}, "/")
	op := &Run{
		Env:      e.env.List(),
		Dir:      e.dir,
		User:     e.out.Image.Config.User,
		Platform: e.scope.platform,
		Security: instructions.GetSecurity(c),
		Network:  instructions.GetNetwork(c),
		Devices:  instructions.GetDevices(c),
	}
	summary, err := e.commandLine(op, c)
	if err != nil {
		return err
	}
	if err := e.mounts(op, in, c); err != nil {
		return err
	}
	switch op.Security {
	case instructions.SecurityInsecure, instructions.SecuritySandbox:
	default:
		return errors.Errorf("unsupported security mode %q", op.Security)
	}
	switch op.Network {
	case instructions.NetworkDefault, instructions.NetworkNone, instructions.NetworkHost:
	default:
		return errors.Errorf("unsupported network mode %q", op.Network)
	}
	step.Op = op
	pieces := in.Pieces(e.unit.File.Escape(in.Loc))
	pieces[len(pieces)-1].Text += summary
	step.Progress = e.progress.next(titleOf(runLex(e.lex), pieces, maskSecrets(c, &e.env)), op.Platform, &e.env)
	e.commitOp("RUN " + e.runHistory(op.Args))
	return nil
}

// commandLine sets the argv of op from the three forms that RUN has: words,
// one here-document, or a shell command that reads here-documents. The
// summary is what progress adds to the instruction.
func (e *stageEval) commandLine(op *Run, c *instructions.RunCommand) (summary string, err error) {
	op.Args = c.CmdLine
	if len(c.Files) > 0 {
		if len(c.CmdLine) != 1 || !c.PrependShell {
			return "", errors.Errorf("parsing produced an invalid run command: %v", c.CmdLine)
		}
		if parser.MustParseHeredoc(c.CmdLine[0]) != nil {
			summary = " (" + firstLine(c.Files[0].Data) + ")"
			e.inlineScript(op, c.Files[0])
		} else {
			op.Args = []string{withHeredocs(c.CmdLine[0], c.Files)}
		}
	}
	if c.PrependShell {
		op.Args = shellForm(&e.out.Image, op.Args)
	}
	return summary, nil
}

// inlineScript runs a here-document: as a program where it names its
// interpreter, else as shell text, which works for shells without
// here-documents, too.
func (e *stageEval) inlineScript(op *Run, file instructions.ShellInlineFile) {
	data := file.Data
	if file.Chomp {
		data = parser.ChompHeredocContent(data)
	}
	if e.out.Image.OS == "windows" || !strings.HasPrefix(data, "#!") {
		op.Args = []string{data}
		return
	}
	op.Script = &Script{Name: file.Name, Data: data}
	op.Args = []string{path.Join("/dev/pipes", file.Name)}
}

// withHeredocs returns a shell command with its here-documents behind it again.
func withHeredocs(line string, files []instructions.ShellInlineFile) string {
	var b strings.Builder
	b.WriteString(line)
	for _, f := range files {
		b.WriteString("\n" + f.Data + f.Name)
	}
	return b.String()
}

// firstLine returns a here-document in short.
func firstLine(doc string) string {
	first, _, more := strings.Cut(strings.ReplaceAll(strings.TrimSpace(doc), "\r\n", "\n"), "\n")
	if more {
		return first + "..."
	}
	return first
}

// runHistory returns how history has a RUN: with the ARGs that were in scope, in
// the form that the classic builder has for them.
func (e *stageEval) runHistory(args []string) string {
	var scope stage.Env
	var order []string
	for _, arg := range e.declared {
		v, ok := e.env.Get(arg.Key)
		if !ok {
			v = arg.ValueString()
		}
		if _, seen := scope.Get(arg.Key); !seen {
			order = append(order, arg.Key)
		}
		scope.Set(arg.Key, v)
	}
	var words []string
	if len(order) > 0 {
		words = append(words, fmt.Sprintf("|%d", len(order)))
	}
	for _, key := range order {
		v, _ := scope.Get(key)
		words = append(words, key+"="+v)
	}
	return strings.Join(append(words, args...), " ")
}

// runLex expands a RUN for display only: as little as possible.
func runLex(lex *shell.Lex) *shell.Lex {
	display := *lex
	display.RawQuotes = true
	display.RawEscapes = true
	display.SkipUnsetEnv = true
	return &display
}

// maskSecrets shows variables that come from secrets as asterisks, so that it
// is clear that they have a value.
func maskSecrets(c *instructions.RunCommand, env *stage.Env) shell.EnvGetter {
	masked := env
	for _, m := range instructions.GetMounts(c) {
		if m.Type != instructions.MountTypeSecret || m.Env == nil {
			continue
		}
		if masked == env {
			clone := env.Clone()
			masked = &clone
		}
		masked.Set(*m.Env, "****")
	}
	return masked
}
