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

// EpochResult is what SOURCE_DATE_EPOCH means in a build.
type EpochResult struct {
	// Time is given to the files and the config of the image; nil: none is.
	Time *time.Time
	// Globals have the seconds since 1970 as the value of the arg, whatever
	// the client wrote.
	Globals *stage.Globals
}

// Epoch finds out the time that SOURCE_DATE_EPOCH means. Its value is seconds
// since 1970, "context", the name of a named context, or the name of a stage
// that only adds one remote source. globals are not changed.
func Epoch(ctx context.Context, f *dockerfile.File, globals *stage.Globals, src Sources) (EpochResult, error) {
	value, given := globals.BuildArgs[epochArg]
	if !given {
		value, _ = globals.Env.Get(epochArg)
	}
	if value == "" && !given {
		return EpochResult{Globals: globals}, nil
	}
	t, err := epochTime(ctx, value, f, globals, src)
	if err != nil {
		return EpochResult{}, err
	}
	var seconds *string
	if t != nil {
		text := strconv.FormatInt(t.Unix(), 10)
		seconds = &text
	}
	return EpochResult{Time: t, Globals: globals.WithValue(epochArg, seconds)}, nil
}

func epochTime(ctx context.Context, value string, f *dockerfile.File, globals *stage.Globals, src Sources) (*time.Time, error) {
	if value == "" {
		return nil, nil
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		t := time.Unix(n, 0).UTC()
		return &t, nil
	}
	what, err := epochSource(value, f, globals, src)
	if err != nil {
		return nil, err
	}
	return src.Modified(ctx, what)
}

func epochSource(value string, f *dockerfile.File, globals *stage.Globals, src Sources) (EpochSource, error) {
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
		remote, err := stageRemote(f, s, globals)
		if err != nil {
			return EpochSource{}, dockerfile.At(err, s.Loc)
		}
		return EpochSource{Remote: remote, Log: "[internal] resolve SOURCE_DATE_EPOCH source stage " + s.Name}, nil
	}
	return EpochSource{}, errors.Errorf("invalid SOURCE_DATE_EPOCH: %s", value)
}

// stageRemote returns the one remote source of a stage that does nothing but add
// it to an empty filesystem.
func stageRemote(f *dockerfile.File, s *dockerfile.Stage, globals *stage.Globals) (*Remote, error) {
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
			err = setArgs(c, &env, globals, lex)
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

// setArgs sets the ARGs of the source stage in env, where those of the global
// scope are without a declaration.
func setArgs(c *instructions.ArgCommand, env *stage.Env, globals *stage.Globals, lex *shell.Lex) error {
	for _, arg := range c.Args {
		value, origin, err := globals.ArgValue(arg, func(word string) (string, error) {
			value, _, err := lex.ProcessWord(word, env)
			return value, err
		})
		if err != nil {
			return err
		}
		if origin == stage.FromClient || origin == stage.FromDefault {
			env.Set(arg.Key, value)
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
