package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"

	"github.com/stagecraft/stagecraft/frontend"
	"github.com/stagecraft/stagecraft/integration/sandbox"
)

var (
	copyCases = flag.Int("copy-cases", 48, "how many COPYs TestIfExistsIsCopy makes of each kind of source")
	copySeed  = flag.Int64("copy-seed", 1, "what they are made from")
)

// TestIfExistsIsCopy is the law of COPY --if-exists: wherever COPY succeeds, COPY with the flag gives the
// same files. The COPYs are generated (copycases_test.go), from each kind of source; both are built on a
// real daemon and compared file by file. Then the sources change, and what was built is not found in the
// cache by mistake.
func TestIfExistsIsCopy(t *testing.T) {
	s := sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))
	c, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	image := s.Registry + "/if-exists"
	for _, kind := range []copySource{
		{name: "context"},
		{name: "stage", from: "src"},
		{name: "image", from: image},
		{name: "named context", from: "named"},
		{name: "folder of --context", inner: true},
	} {
		t.Run(kind.name, func(t *testing.T) {
			cases := kind.cases(rand.New(rand.NewSource(*copySeed)), *copyCases)
			for round := range 2 {
				tree := copyTree(round)
				dirs := kind.write(t, cases, tree)
				if kind.name == "image" {
					pushTree(t, image, tree)
				}
				results := buildCopies(t, c, kind, dirs, cases)
				judgeCopies(t, cases, results)
			}
		})
	}
}

// judgeCopies compares each COPY with its twin. Some must succeed, and some must find nothing, or the
// test would show nothing.
func judgeCopies(t *testing.T, cases []copyCase, results map[string]built) {
	succeeded, skipped := 0, 0
	for i, c := range cases {
		plain, flagged := results[fmt.Sprintf("plain%d", i)], results[fmt.Sprintf("flag%d", i)]
		switch {
		case plain.err == nil && flagged.err == nil:
			succeeded++
			if diff := plain.difference(flagged); diff != "" {
				t.Errorf("case %d: COPY %s: with --if-exists %s", i, c.args, diff)
			}
		case plain.err == nil && !refusedByDesign(flagged.err):
			t.Errorf("case %d: COPY %s succeeds, and with --if-exists fails: %v", i, c.args, flagged.err)
		case plain.err != nil && flagged.err == nil:
			skipped++
		}
	}
	t.Logf("%d of %d COPYs succeeded, %d more with --if-exists", succeeded, len(cases), skipped)
	if succeeded < len(cases)/4 || skipped < len(cases)/20 {
		t.Errorf("too few of the COPYs show anything: %d of %d succeed, %d more with the flag", succeeded, len(cases), skipped)
	}
}

// refusedByDesign says that an error is one of those that docs/language.md lists.
func refusedByDesign(err error) bool {
	return strings.Contains(err.Error(), "a folder of the path has a backslash in its name")
}

// built is what became of one stage: its files, or an error.
type built struct {
	files map[string]string
	err   error
}

// difference says how another stage's files differ, empty where they do not.
func (b built) difference(other built) string {
	paths := slices.Sorted(maps.Keys(b.files))
	for path := range other.files {
		if _, ok := b.files[path]; !ok {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if b.files[path] != other.files[path] {
			return fmt.Sprintf("%s is %q instead of %q", path, other.files[path], b.files[path])
		}
	}
	return ""
}

// buildCopies builds all stages in one session. The frontend runs in this process: what is tested is what
// the daemon makes of its LLB.
func buildCopies(t *testing.T, c *client.Client, kind copySource, dirs map[string]string, cases []copyCase) map[string]built {
	t.Helper()
	opt := client.SolveOpt{FrontendAttrs: map[string]string{}, LocalMounts: map[string]fsutil.FS{}}
	for name, dir := range dirs {
		fs, err := fsutil.NewFS(dir)
		if err != nil {
			t.Fatal(err)
		}
		opt.LocalMounts[name] = fs
	}
	opt.FrontendAttrs["context:named"] = "local:named"
	results := make([]built, 2*len(cases))
	names := make([]string, len(results))
	_, err := c.Build(t.Context(), opt, "", func(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
		eg, ctx := errgroup.WithContext(ctx)
		eg.SetLimit(4)
		for i := range results {
			names[i] = fmt.Sprintf("%s%d", []string{"plain", "flag"}[i%2], i/2)
			eg.Go(func() error {
				results[i] = buildStage(ctx, gw, kind.target(names[i]))
				return ctx.Err()
			})
		}
		return gateway.NewResult(), eg.Wait()
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]built{}
	for i, name := range names {
		byName[name] = results[i]
	}
	return byName
}

// targetClient is a client of the gateway that asks for another target.
type targetClient struct {
	gateway.Client
	target string
}

func (c targetClient) BuildOpts() gateway.BuildOpts {
	opts := c.Client.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	opts.Opts["target"] = c.target
	return opts
}

func buildStage(ctx context.Context, gw gateway.Client, target string) built {
	res, err := frontend.Build(ctx, targetClient{gw, target})
	if err != nil {
		return built{err: err}
	}
	ref, err := res.SingleRef()
	if err != nil || ref == nil {
		return built{err: errors.Join(err, errors.New("there is no result"))}
	}
	files := map[string]string{}
	err = listFiles(ctx, ref, "", files)
	return built{files: files, err: err}
}

// listFiles lists a filesystem with all that COPY can change. When a folder was changed is left out: those
// that COPY makes are as old as the build.
func listFiles(ctx context.Context, ref gateway.Reference, dir string, files map[string]string) error {
	entries, err := ref.ReadDir(ctx, gateway.ReadDirRequest{Path: "/" + dir})
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Path)
		mode := os.FileMode(e.Mode)
		text := fmt.Sprintf("%v %d:%d %q %v", mode, e.Uid, e.Gid, e.Linkname, e.Xattrs)
		switch {
		case mode.IsDir():
			if err := listFiles(ctx, ref, path, files); err != nil {
				return err
			}
		case mode.IsRegular():
			data, err := ref.ReadFile(ctx, gateway.ReadRequest{Filename: "/" + path})
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %d %q", e.ModTime, data)
		default:
			text += fmt.Sprintf(" %d", e.ModTime)
		}
		files[path] = text
	}
	return nil
}
