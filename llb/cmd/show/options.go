package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher/ignorefile"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// options are the command line.
type options struct {
	file     string
	target   string
	platform ocispecs.Platform
	context  string // a folder
	args     map[string]string
	images   map[string]string // files with configs, by reference
	contexts map[string]string // named contexts
	show     func(context.Context, compiler.Request) (func(io.Writer) error, error)
}

func parse(args []string, usage io.Writer) (*options, error) {
	o := &options{args: map[string]string{}, images: map[string]string{}, contexts: map[string]string{}}
	flags := flag.NewFlagSet("show", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.Usage = func() {
		fmt.Fprintln(usage, "usage: show [flags] graph|plan|json|llb DOCKERFILE")
		flags.PrintDefaults()
	}
	flags.StringVar(&o.target, "target", "", "the `stage` to build")
	flags.StringVar(&o.context, "context", "", "the `folder` of the build context (default that of the Dockerfile)")
	platform := flags.String("platform", "linux/amd64", "the target `platform`")
	flags.Func("arg", "a build argument, `NAME=VALUE`", pairs(o.args))
	flags.Func("image", "the config of an image, `REFERENCE=FILE`", pairs(o.images))
	flags.Func("build-context", "a named context, `NAME=docker-image://REFERENCE` or NAME=FOLDER", pairs(o.contexts))
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() != 2 || shows[flags.Arg(0)] == nil {
		flags.Usage()
		return nil, flag.ErrHelp
	}
	o.show, o.file = shows[flags.Arg(0)], flags.Arg(1)
	if o.context == "" {
		o.context = filepath.Dir(o.file)
	}
	var err error
	o.platform, err = platforms.Parse(*platform)
	return o, err
}

// pairs returns a flag that can be repeated.
func pairs(values map[string]string) func(string) error {
	return func(word string) error {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return errors.New("want NAME=VALUE")
		}
		values[name] = value
		return nil
	}
}

// request returns the compilation that the command line asks for.
func (o *options) request(warnings io.Writer) (compiler.Request, error) {
	text, err := os.ReadFile(o.file)
	if err != nil {
		return compiler.Request{}, err
	}
	src := &standIn{options: o, configs: map[string][]byte{}}
	for ref, file := range o.images {
		if src.configs[normalized(ref)], err = os.ReadFile(file); err != nil {
			return compiler.Request{}, err
		}
	}
	files := dockerfile.NewFiles(filepath.Base(o.file), text, func(root dockerfile.Root, path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(o.folder(root), filepath.FromSlash(path)))
	})
	caps := pb.Caps.CapSet(pb.Caps.All())
	req := compiler.Request{
		Files:          files,
		TargetPlatform: &o.platform,
		Sources:        src,
		Caps:           &caps,
		MainContext:    func(_ context.Context, paths []string) (*llb.State, error) { return local("context", paths), nil },
		Ignore: func(context.Context) ([]string, error) {
			patterns, _, err := ignored(o.file+".dockerignore", filepath.Join(o.context, ".dockerignore"))
			return patterns, err
		},
		OtherContext: func(_ context.Context, c stage.Context, paths []string) (*llb.State, error) {
			return local("context "+c.Dir+c.Named, paths), nil
		},
		OtherIgnore: func(_ context.Context, c stage.Context) ([]string, string, error) {
			return ignored(filepath.Join(o.folder(c.IgnoreRoot), c.Ignore), filepath.Join(o.context, c.Dir, ".dockerignore"))
		},
		Warn: func(file dockerfile.FileID, rule, _, _, msg string, where []parser.Range) {
			fmt.Fprintf(warnings, "%s: %s: %s\n", files.FullPlace(dockerfile.Loc{File: file, Ranges: where}), rule, msg)
		},
	}
	req.Target, req.BuildArgs = o.target, o.args
	req.BuildPlatforms = []ocispecs.Platform{o.platform}
	return req, nil
}

func (o *options) folder(root dockerfile.Root) string {
	if root == dockerfile.InContext {
		return o.context
	}
	return filepath.Dir(o.file)
}

func local(name string, paths []string) *llb.State {
	var opts []llb.LocalOption
	if len(paths) > 0 {
		opts = append(opts, llb.FollowPaths(slices.Clone(paths)))
	}
	st := llb.Local(name, opts...)
	return &st
}

// ignored returns the patterns of the first of some files that exists.
func ignored(files ...string) ([]string, string, error) {
	for _, name := range files {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		defer f.Close()
		patterns, err := ignorefile.ReadAll(f)
		return patterns, name, err
	}
	return nil, "", nil
}
