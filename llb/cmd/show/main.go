// Command show prints what the compiler makes of a Dockerfile, without a
// daemon and without fetching anything:
//
//	go run ./llb/cmd/show [flags] graph|plan|json|llb Dockerfile
//
// Files that the Dockerfile refers to are read from the disk. In the place of
// images stands one that is invented: it has no variables, no triggers, and a
// digest that follows from its name. -image gives one its real config, as
// "docker buildx imagetools inspect --format '{{json .Image}}'" prints it.
//
// The plan is checked on the way: a wrong one is printed, and the exit status
// is 1.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/lower"
	"github.com/stagecraft/stagecraft/llb/plan"
)

func main() {
	switch err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "show:", err)
		os.Exit(1)
	}
}

// run is the command with its arguments. Findings of the build checks go to
// warnings.
func run(ctx context.Context, args []string, out, warnings io.Writer) error {
	o, err := parse(args, warnings)
	if err != nil {
		return err
	}
	req, err := o.request(warnings)
	if err != nil {
		return err
	}
	show, err := o.show(ctx, req)
	if err != nil {
		return located(req.Files, err)
	}
	return show(out)
}

// shows are the things to show: each compiles, and returns what prints it.
var shows = map[string]func(context.Context, compiler.Request) (func(io.Writer) error, error){
	"graph": func(ctx context.Context, req compiler.Request) (func(io.Writer) error, error) {
		r, err := compiler.Graph(ctx, req)
		if err != nil {
			return nil, err
		}
		return func(w io.Writer) error {
			_, err := io.WriteString(w, r.Graph.String())
			return err
		}, nil
	},
	"plan": func(ctx context.Context, req compiler.Request) (func(io.Writer) error, error) {
		p, err := compiler.Evaluate(ctx, req)
		if err != nil {
			return nil, err
		}
		return func(w io.Writer) error {
			_, err := io.WriteString(w, p.String())
			return errors.Join(err, check(p))
		}, nil
	},
	"json": func(ctx context.Context, req compiler.Request) (func(io.Writer) error, error) {
		p, err := compiler.Evaluate(ctx, req)
		if err != nil {
			return nil, err
		}
		return func(w io.Writer) error {
			data, err := json.MarshalIndent(p, "", "  ")
			if err == nil {
				_, err = fmt.Fprintf(w, "%s\n", data)
			}
			return errors.Join(err, check(p))
		}, nil
	},
	"llb": func(ctx context.Context, req compiler.Request) (func(io.Writer) error, error) {
		c, err := compiler.Compile(ctx, req)
		if err != nil {
			return nil, err
		}
		def, err := c.Marshal(ctx)
		if err != nil {
			return nil, err
		}
		if def, err = lower.Mask(def.ToPB()); err != nil {
			return nil, err
		}
		return func(w io.Writer) error {
			_, err := io.WriteString(w, lower.Print(def))
			return errors.Join(err, check(c.Plan))
		}, nil
	},
}

var errWrongPlan = errors.New("this is a bug in Stagecraft: the plan is wrong")

func check(p *plan.Plan) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: %w", errWrongPlan, err)
	}
	return nil
}

// located is an error with the place that it has in a file.
func located(files *dockerfile.Files, err error) error {
	var at *parser.LocationError
	if !errors.As(err, &at) || len(at.Locations) == 0 || len(at.Locations[0]) == 0 {
		return err
	}
	loc := dockerfile.Loc{File: dockerfile.FileOf(err), Ranges: at.Locations[0]}
	return fmt.Errorf("%s: %w", files.FullPlace(loc), err)
}
