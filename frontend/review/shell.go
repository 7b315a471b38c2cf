package review

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"mvdan.cc/sh/v3/syntax"
)

// script is what a RUN executes, as far as a reader can tell. What is not
// written for a POSIX shell, or cannot be parsed, has no commands.
type script struct {
	commands []command
	// reads are the variables that are used and sets those that are given a
	// value, in the order of the text.
	reads []string
	sets  map[string]bool
	// top is how many statements stand next to each other, each of which
	// executes whether or not the one before has failed; known tells whether
	// the text could be parsed.
	top   int
	known bool
	// quiet are the statements whose failure || true takes.
	quiet []*syntax.Stmt
	// lost is a command whose failure nobody sees: it is neither the last
	// statement of the text nor followed by one that depends on it. Empty where
	// there is none, and after set -e.
	lost string
	// here is the here-document that is executed, nil where there is none.
	here *instructions.ShellInlineFile
}

// command is one call of a program.
type command struct {
	// name is the program without its folder; args are the words after it,
	// with variables as written.
	name string
	args []string
	// writes are the files that its output goes to, and quiet reports whether
	// || true takes its failure.
	writes []string
	quiet  bool
}

// has reports whether a word is among the arguments.
func (c *command) has(words ...string) bool {
	return slices.ContainsFunc(c.args, func(a string) bool { return slices.Contains(words, a) })
}

// verb returns the first argument that is not an option.
func (c *command) verb() string {
	for _, a := range c.args {
		if !strings.HasPrefix(a, "-") {
			return a
		}
	}
	return ""
}

// operands returns the arguments that are not options.
func (c *command) operands() []string {
	return slices.DeleteFunc(slices.Clone(c.args), func(a string) bool { return strings.HasPrefix(a, "-") })
}

// text returns the command on one line.
func (c *command) text() string { return strings.Join(append([]string{c.name}, c.args...), " ") }

// Commands returns the programs that a RUN calls, in the order of the text.
func (step *Step) Commands() []command { return step.Script().commands }

// Script returns what a RUN executes. It is never nil.
func (step *Step) Script() *script {
	if step.script == nil {
		step.script = step.readScript()
	}
	return step.script
}

func (step *Step) readScript() *script {
	sc := &script{sets: map[string]bool{}}
	c, ok := step.Command.(*instructions.RunCommand)
	if !ok || !step.posix() {
		return sc
	}
	if !c.PrependShell {
		sc.known = true
		sc.call(c.CmdLine)
		return sc
	}
	if len(c.CmdLine) != 1 {
		return sc
	}
	text := c.CmdLine[0]
	if len(c.Files) == 0 {
		sc.parse(text)
		return sc
	}
	if bareHeredoc.MatchString(text) {
		sc.here = &c.Files[0]
		if interpreter(c.Files[0].Data) {
			sc.parse(c.Files[0].Data)
		}
		return sc
	}
	for _, f := range c.Files {
		text += "\n" + f.Data
		if !strings.HasSuffix(f.Data, "\n") {
			text += "\n"
		}
		text += f.Name
	}
	sc.parse(text + "\n")
	if len(c.Files) == 1 && len(sc.commands) == 1 && isShell(sc.commands[0].name) {
		sc.here, sc.top = &c.Files[0], 0
		sc.parse(c.Files[0].Data)
	}
	return sc
}

var bareHeredoc = regexp.MustCompile(`^\s*<<-?\s*['"]?\w+['"]?\s*$`)

// interpreter reports whether a script is for a POSIX shell: it has no shebang,
// or one that names such a shell.
func interpreter(text string) bool {
	first, _, _ := strings.Cut(text, "\n")
	shebang, ok := strings.CutPrefix(first, "#!")
	if !ok {
		return true
	}
	return slices.ContainsFunc(strings.Fields(shebang), func(word string) bool { return isShell(path.Base(word)) })
}

func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "ash", "dash", "zsh", "ksh"}, name)
}

// posix reports whether the shell of a RUN is a POSIX one.
func (step *Step) posix() bool {
	shell, windows := step.shell()
	if len(shell) == 0 {
		return !windows
	}
	return isShell(strings.TrimSuffix(path.Base(strings.ReplaceAll(shell[0], `\`, "/")), ".exe"))
}

// shell returns the SHELL in force, nil for the default one, and whether the stage
// is for Windows.
func (step *Step) shell() (shell []string, windows bool) {
	st := step.Stage
	if st.Planned != nil && st.Planned.Platform.OS == "windows" || strings.Contains(st.RootImage(), "/windows/") {
		windows = true
	}
	for _, before := range st.InChain() {
		if before.Stage == st && before.Index >= step.Index {
			break
		}
		if c, ok := before.Command.(*instructions.ShellCommand); ok {
			shell = c.Shell
		}
	}
	if root := st.Chain()[0]; shell == nil && root.Planned != nil && root.Planned.Original != nil {
		shell = root.Planned.Original.Config.Shell
	}
	return shell, windows
}

// parse adds the commands of a shell text.
func (sc *script) parse(text string) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return
	}
	sc.known = true
	if sc.top == 0 { // not the text of a shell inside
		sc.top = len(file.Stmts)
		sc.lost = lost(file.Stmts)
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.BinaryCmd:
			if n.Op == syntax.OrStmt && succeeds(n.Y) {
				sc.quiet = append(sc.quiet, n.X)
			}
		case *syntax.Stmt:
			sc.statement(n)
		case *syntax.Assign:
			if n.Name != nil {
				sc.sets[n.Name.Value] = true
			}
		case *syntax.WordIter:
			sc.sets[n.Name.Value] = true
		case *syntax.ParamExp:
			if n.Param != nil {
				sc.reads = append(sc.reads, n.Param.Value)
			}
		}
		return true
	})
}

// succeeds reports whether a statement is true or a colon.
func succeeds(s *syntax.Stmt) bool {
	call, ok := s.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) == 1 && slices.Contains([]string{"true", ":"}, word(call.Args[0]))
}

func (sc *script) statement(s *syntax.Stmt) {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 {
		return
	}
	var words []string
	for _, w := range call.Args {
		words = append(words, word(w))
	}
	before := len(sc.commands)
	sc.call(words)
	quiet := slices.ContainsFunc(sc.quiet, func(q *syntax.Stmt) bool {
		return q.Pos().Offset() <= s.Pos().Offset() && s.End().Offset() <= q.End().Offset()
	})
	for i := range sc.commands[before:] {
		sc.commands[before+i].quiet = quiet
	}
	for _, r := range s.Redirs {
		if r.Word == nil || len(sc.commands) == before {
			continue
		}
		switch r.Op {
		case syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll, syntax.RdrClob:
			c := &sc.commands[before]
			c.writes = append(c.writes, word(r.Word))
		}
	}
}

// wrappers are programs that execute their arguments.
var wrappers = map[string]bool{
	"sudo": true, "exec": true, "env": true, "time": true, "nice": true, "command": true, "eatmydata": true,
	"nohup": true, "timeout": true, "retry": true, "xargs": true, "chronic": true,
}

var assignment = regexp.MustCompile(`^\w+=`)

// call adds one command, as a program gets it.
func (sc *script) call(words []string) {
	for len(words) > 1 && wrappers[path.Base(words[0])] {
		words = words[1:]
		for len(words) > 1 && (strings.HasPrefix(words[0], "-") || assignment.MatchString(words[0]) || isNumber(words[0])) {
			words = words[1:]
		}
	}
	if len(words) == 0 {
		return
	}
	c := command{name: path.Base(words[0]), args: words[1:]}
	if c.name == "read" || c.name == "getopts" {
		for _, name := range c.operands() {
			sc.sets[name] = true
		}
	}
	sc.commands = append(sc.commands, c)
	if isShell(c.name) && len(c.args) > 1 {
		for i, a := range c.args[:len(c.args)-1] {
			if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.HasSuffix(a, "c") {
				sc.parse(c.args[i+1])
				break
			}
		}
	}
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789.smh") == "" }

// word returns a shell word without its quotes; what the shell computes stays as it
// is written.
func word(w *syntax.Word) string {
	var b strings.Builder
	parts(&b, w.Parts)
	return b.String()
}

func parts(b *strings.Builder, ps []syntax.WordPart) {
	for _, p := range ps {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(p.Value, `\`, ""))
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			parts(b, p.Parts)
		default:
			_ = syntax.NewPrinter().Print(b, p)
		}
	}
}
