package dockerfile

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/tonistiigi/go-csvvalue"
)

// What Stagecraft adds to instructions that BuildKit knows is taken out of
// the syntax tree before BuildKit's parser sees it. The text of the
// instruction, which history and progress show, stays as it is.

// takeFromFlags takes the additional flags of a FROM.
func takeFromFlags(node *parser.Node) (FromFlags, error) {
	flags := takeFlags(node)
	after := flags.AddStrings("after")
	context := flags.AddString("context", "")
	noCache := flags.AddBool("no-cache", false)
	args := flags.AddStrings("arg")
	platform := flags.AddString("target-platform", "")
	squash := flags.AddString("squash", "")
	err := flags.Parse()
	if err != nil {
		return FromFlags{}, err
	}
	f := FromFlags{Context: context.Value, NoCache: noCache.IsTrue()}
	if f.Args, err = setArgs(args.StringValues); err != nil {
		return f, err
	}
	if f.TargetPlatform, err = targetPlatform(platform); err != nil {
		return f, err
	}
	switch {
	case squash.Value == "all":
		f.Squash = true
	case squash.IsUsed():
		return f, errors.New("--squash=all makes one layer of the whole filesystem; there is no other form")
	}
	if context.IsUsed() && f.Context == "" {
		return f, errors.New("--context needs a folder of the build context (./DIR) or the name of a named context")
	}
	for _, list := range after.StringValues {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name == "" {
				return f, errors.New("--after needs the name of a stage, or several with commas between them")
			}
			f.After = append(f.After, name)
		}
	}
	return f, nil
}

// takeInstructionFlags takes the additional flags of COPY and RUN.
func takeInstructionFlags(node *parser.Node) (Flags, error) {
	var f Flags
	if len(node.Flags) == 0 {
		return f, nil
	}
	switch strings.ToLower(node.Value) {
	case "copy":
		flags := takeFlags(node)
		ifExists := flags.AddBool("if-exists", false)
		keepRoot := flags.AddBool("keep-root", false)
		platform := flags.AddString("target-platform", "")
		err := flags.Parse()
		if err != nil {
			return f, err
		}
		f.IfExists, f.KeepRoot = ifExists.IsTrue(), keepRoot.IsTrue()
		if f.TargetPlatform, err = targetPlatform(platform); err != nil {
			return f, err
		}
		isFrom := func(flag string) bool { return strings.HasPrefix(flag, "--from=") }
		if f.TargetPlatform != "" && !slices.ContainsFunc(node.Flags, isFrom) {
			return f, errors.New("--target-platform is the platform of a stage or an image: write it with --from")
		}
	case "workdir":
		flags := takeFlags(node)
		chown, chmod := flags.AddString("chown", ""), flags.AddString("chmod", "")
		if err := flags.Parse(); err != nil {
			return f, err
		}
		f.Chown, f.Chmod = chown.Value, chmod.Value
	case "run":
		flags := takeFlags(node)
		noCache := flags.AddBool("no-cache", false)
		if err := flags.Parse(); err != nil {
			return f, err
		}
		f.NoCache = noCache.IsTrue()
		f.MountFrom = takeMountVariables(node)
	}
	return f, nil
}

// takeFlags moves the flags that Stagecraft adds out of a node.
func takeFlags(node *parser.Node) *instructions.BFlags {
	var taken, left []string
	names := flagsOf(node)
	for _, flag := range node.Flags {
		name, _, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		if slices.Contains(names, name) {
			taken = append(taken, FlagText(flag))
		} else {
			left = append(left, flag)
		}
	}
	node.Flags = left
	return instructions.NewBFlagsWithArgs(taken)
}

// FlagText returns the text of a flag as it is written. BuildKit's parser makes
// a character of each byte of a flag, which only ASCII survives.
func FlagText(flag string) string {
	written := make([]byte, 0, len(flag))
	for _, r := range flag {
		if r > 0xff {
			return flag
		}
		written = append(written, byte(r))
	}
	if !utf8.Valid(written) {
		return flag
	}
	return string(written)
}

// takeMountVariables puts a placeholder in the place of each from= with a
// variable, which BuildKit's parser refuses, and returns what they stand for.
func takeMountVariables(node *parser.Node) map[string]string {
	var taken map[string]string
	for i, flag := range node.Flags {
		value, ok := strings.CutPrefix(flag, "--mount=")
		if !ok {
			continue
		}
		fields, err := csvvalue.Fields(value, nil)
		if err != nil {
			continue // BuildKit's parser says what is wrong
		}
		changed := false
		for j, field := range fields {
			key, from, _ := strings.Cut(field, "=")
			// One dollar sign at the very end is no variable there.
			dollar := strings.IndexByte(from, '$')
			if !strings.EqualFold(key, "from") || dollar < 0 || dollar == len(from)-1 {
				continue
			}
			if taken == nil {
				taken = map[string]string{}
			}
			placeholder := fmt.Sprintf("‹from %d›", len(taken))
			taken[placeholder] = from
			fields[j] = key + "=" + placeholder
			changed = true
		}
		if changed {
			node.Flags[i] = "--mount=" + joinCSV(fields)
		}
	}
	return taken
}

func joinCSV(fields []string) string {
	quoted := make([]string, len(fields))
	for i, f := range fields {
		if strings.ContainsAny(f, `",`) {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		quoted[i] = f
	}
	return strings.Join(quoted, ",")
}

// suggestAddition completes the error for an unknown instruction or flag that
// may be one of ours, misspelt.
func suggestAddition(err error, node *parser.Node) error {
	var unknown *instructions.UnknownInstructionError
	if errors.As(err, &unknown) && err.Error() == unknown.Error() { // no suggestion yet
		return suggest.WrapError(err, node.Value, []string{"INCLUDE", "UNSET"}, false)
	}
	if flag, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		return suggest.WrapError(err, flag, flagsOf(node), true)
	}
	return err
}

// flagsOf returns the flags that Stagecraft adds to an instruction.
func flagsOf(node *parser.Node) []string {
	switch strings.ToLower(node.Value) {
	case "from":
		return []string{"after", "arg", "context", "no-cache", "squash", "target-platform"}
	case "copy":
		return []string{"if-exists", "keep-root", "target-platform"}
	case "workdir":
		return []string{"chmod", "chown"}
	case "run":
		return []string{"no-cache"}
	case "env", "label":
		return []string{"file", "from"}
	}
	return nil
}
