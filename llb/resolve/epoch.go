package resolve

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

const epochArg = "SOURCE_DATE_EPOCH"

// Epoch is the time that SOURCE_DATE_EPOCH gives to the files and the config
// of the image, nil without one. Its value is seconds since 1970, "context",
// the name of a named context, or the name of a stage that only adds one
// remote source. The arg then has the seconds as its value: Epoch changes
// globals and buildArgs accordingly.
func Epoch(ctx context.Context, f *dockerfile.File, globals *stage.Globals, buildArgs map[string]string, src Sources) (*time.Time, error) {
	value, given := buildArgs[epochArg]
	declared, isGlobal := globals.Env.Get(epochArg)
	if !given {
		value = declared
	}
	if value == "" && !given {
		return nil, nil
	}
	t, err := epochTime(ctx, value, f, globals, buildArgs, src)
	if err != nil {
		return nil, err
	}
	switch {
	case given && t == nil:
		delete(buildArgs, epochArg)
	case given:
		buildArgs[epochArg] = seconds(t)
	}
	switch {
	case isGlobal && t == nil:
		globals.Env.Delete(epochArg)
	case isGlobal:
		globals.Env.Set(epochArg, seconds(t))
	}
	return t, nil
}

func seconds(t *time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func epochTime(ctx context.Context, value string, f *dockerfile.File, globals *stage.Globals, buildArgs map[string]string, src Sources) (*time.Time, error) {
	if value == "" {
		return nil, nil
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		t := time.Unix(n, 0).UTC()
		return &t, nil
	}
	what, err := epochSource(value, f, globals, buildArgs, src)
	if err != nil {
		return nil, err
	}
	return src.Modified(ctx, what)
}

func epochSource(value string, f *dockerfile.File, globals *stage.Globals, buildArgs map[string]string, src Sources) (EpochSource, error) {
	if value == "context" {
		return EpochSource{MainContext: true, Log: "[internal] resolve main build context metadata"}, nil
	}
	// A time has no platform: it is that of the context for this machine.
	here := platforms.DefaultSpec()
	if ok, err := src.HasContext(value, &here); err != nil {
		return EpochSource{}, err
	} else if ok {
		return EpochSource{Context: value, Log: "[internal] resolve SOURCE_DATE_EPOCH named context " + value}, nil
	}
	for i := range f.Stages {
		s := &f.Stages[i]
		if !strings.EqualFold(s.Name, value) {
			continue
		}
		remote, err := stageRemote(f, s, globals, buildArgs)
		if err != nil {
			return EpochSource{}, dockerfile.At(err, s.Loc)
		}
		return EpochSource{Remote: remote, Log: "[internal] resolve SOURCE_DATE_EPOCH source stage " + s.Name}, nil
	}
	return EpochSource{}, errors.Errorf("invalid SOURCE_DATE_EPOCH: %s", value)
}

// stageRemote is the one remote source of a stage that does nothing but add
// it to an empty filesystem.
func stageRemote(f *dockerfile.File, s *dockerfile.Stage, globals *stage.Globals, buildArgs map[string]string) (*Remote, error) {
	lex := shell.NewLex(f.Escape(s.Loc))
	env := globals.Env.Clone()
	env.Delete(epochArg)

	base, _, err := lex.ProcessWord(s.BaseName, &env)
	if err != nil {
		return nil, errors.Wrapf(err, "failed to process source stage base name %q", s.BaseName)
	}
	if base != stage.Scratch {
		return nil, errors.New("SOURCE_DATE_EPOCH stage must use FROM scratch")
	}
	var remote *Remote
	for _, in := range s.Instrs {
		switch c := in.Command.(type) {
		case *instructions.ArgCommand:
			err = setArgs(c, &env, buildArgs, lex)
		case *instructions.AddCommand:
			if remote != nil {
				return nil, errOneRemote
			}
			remote, err = addRemote(c, &env, lex)
		default:
			err = errors.Errorf("SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported %s instruction", in.Name())
		}
		if err != nil {
			return nil, err
		}
	}
	if remote == nil {
		return nil, errOneRemote
	}
	return remote, nil
}

var errOneRemote = errors.New("SOURCE_DATE_EPOCH stage must contain exactly one remote ADD")

func setArgs(c *instructions.ArgCommand, env *stage.Env, buildArgs map[string]string, lex *shell.Lex) error {
	for _, arg := range c.Args {
		if given, ok := buildArgs[arg.Key]; ok {
			env.Set(arg.Key, given)
		} else if arg.Value != nil {
			v, _, err := lex.ProcessWord(*arg.Value, env)
			if err != nil {
				return err
			}
			env.Set(arg.Key, v)
		}
	}
	return nil
}

func addRemote(c *instructions.AddCommand, env *stage.Env, lex *shell.Lex) (*Remote, error) {
	if len(c.SourceContents) != 0 || len(c.SourcePaths) != 1 {
		return nil, errors.New("SOURCE_DATE_EPOCH stage must contain exactly one remote ADD source")
	}
	src, _, err := lex.ProcessWord(c.SourcePaths[0], env)
	if err != nil {
		return nil, err
	}
	if IsHTTP(src) {
		r := &Remote{URL: src}
		if c.Checksum != "" {
			if r.Checksum, _, err = lex.ProcessWord(c.Checksum, env); err != nil {
				return nil, err
			}
			// One that turns out empty is no digest either.
			if _, err := digest.Parse(r.Checksum); err != nil {
				return nil, err
			}
		}
		return r, nil
	}
	git, err := ParseGit(src, nil, "")
	if err != nil {
		return nil, err
	}
	if git == nil {
		return nil, errors.New("SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD")
	}
	// Flags that contradict the query string are an error of the build that
	// has such a stage as its target; for the time they add up.
	if c.KeepGitDir != nil && *c.KeepGitDir {
		git.Git.KeepDir = c.KeepGitDir
	}
	if c.Checksum != "" {
		if git.Checksum, _, err = lex.ProcessWord(c.Checksum, env); err != nil {
			return nil, err
		}
	}
	git.Git.FetchByCommit = false
	return git, nil
}
