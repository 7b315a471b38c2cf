package llbtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Answer is what a subrequest says, as sorted lines, or why it does not.
type Answer struct {
	Lines []string
	Err   error
}

func (a *Answer) add(format string, args ...any) {
	a.Lines = append(a.Lines, fmt.Sprintf(format, args...))
}

// DiffAnswers returns the first difference of two answers, empty for none.
func DiffAnswers(r Request, upstream, ours Answer) string {
	switch {
	case upstream.Err == errSilent:
		return ""
	case upstream.Err == errEndless, upstream.Err == errPanics:
		return "" // any answer is better
	case upstream.Err != nil && ours.Err != nil:
		return diffErrors(r, upstream.Err, ours.Err)
	case upstream.Err != nil || ours.Err != nil:
		return fmt.Sprintf("upstream: %v, ours: %v", upstream.Err, ours.Err)
	}
	slices.Sort(upstream.Lines)
	slices.Sort(ours.Lines)
	return diffText("answer", strings.Join(upstream.Lines, "\n"), strings.Join(ours.Lines, "\n"))
}

// What upstream does in place of answering.
var (
	errEndless = errors.New("docker/dockerfile does not end")
	errPanics  = errors.New("docker/dockerfile panics")
)

// Endless reports whether the stages which the target needs stand in a cycle that
// is no mistake: a trigger copies from its own stage, or a stage that a named
// context replaces names one that is built from it. Upstream's outline follows
// that until its stack overflows.
func Endless(ctx context.Context, r Request) bool {
	f, err := r.open(ctx)
	if err != nil {
		return false
	}
	p, err := compiler.Evaluate(ctx, f.request(f.platforms()[0]))
	return err == nil && hasCircle(p.Graph)
}

func hasCircle(g *stage.Graph) bool {
	const onPath, done = 1, 2
	seen := map[stage.ID]int{}
	var walk func(stage.ID) bool
	walk = func(id stage.ID) bool {
		seen[id] = onPath
		for _, e := range g.Out(id) {
			if e.Kind != stage.After && (seen[e.To] == onPath || seen[e.To] == 0 && walk(e.To)) {
				return true
			}
		}
		seen[id] = done
		return false
	}
	return walk(g.Target)
}

// UpstreamOutline lists the args, secrets and agents of the target.
func UpstreamOutline(ctx context.Context, r Request) (a Answer) {
	if !Oracle {
		return Answer{Err: errSilent}
	}
	defer func() {
		if recover() != nil { // a check directive in a trigger
			a = Answer{Err: errPanics}
		}
	}()
	f, err := r.open(ctx)
	if err != nil {
		return Answer{Err: err}
	}
	if _, err := dockerfile2llb.Dockerfile2LLB(ctx, f.source.Data, f.convertOpt(f.platforms()[0])); err != nil {
		return Answer{Err: err}
	}
	// Where we reject what upstream builds, nobody has looked for cycles, and
	// that difference is the build's.
	if p, err := compiler.Evaluate(ctx, f.request(f.platforms()[0])); err != nil || hasCircle(p.Graph) {
		return Answer{Err: errEndless}
	}
	o, err := dockerfile2llb.Dockerfile2Outline(ctx, f.source.Data, f.convertOpt(f.platforms()[0]))
	if err != nil {
		return Answer{Err: err}
	}
	a.add("target %s: %s", o.Name, o.Description)
	for _, arg := range o.Args {
		a.add("arg %s=%s: %s at %s", arg.Name, arg.Value, arg.Description, place(arg.Location))
	}
	for _, s := range o.Secrets {
		a.add("secret %s required=%v at %s", s.Name, s.Required, place(s.Location))
	}
	for _, s := range o.SSH {
		a.add("ssh %s required=%v at %s", s.Name, s.Required, place(s.Location))
	}
	return a
}

func place(l *pb.Location) string {
	var lines []string
	for _, r := range l.GetRanges() {
		lines = append(lines, fmt.Sprintf("%d-%d", r.Start.Line, r.End.Line))
	}
	return strings.Join(lines, ",")
}

func placeOf(ranges []parser.Range) string {
	var lines []string
	for _, r := range ranges {
		lines = append(lines, fmt.Sprintf("%d-%d", r.Start.Line, r.End.Line))
	}
	return strings.Join(lines, ",")
}

// OurOutline returns the same from our plan.
func OurOutline(ctx context.Context, r Request) (a Answer) {
	f, err := r.open(ctx)
	if err != nil {
		return Answer{Err: err}
	}
	p, err := compiler.Evaluate(ctx, f.request(f.platforms()[0]))
	if err != nil {
		return Answer{Err: err}
	}
	from := p.Target().Node.From
	a.add("target %s: %s", from.Name, from.DocComment)
	o := p.Outline()
	for _, arg := range o.Args {
		a.add("arg %s=%s: %s at %s", arg.Definition.Key, arg.Value, arg.Definition.DocComment, placeOf(arg.Loc.Ranges))
	}
	for _, s := range o.Secrets {
		a.add("secret %s required=%v at %s", s.Name, s.Required, placeOf(s.Loc.Ranges))
	}
	for _, s := range o.SSH {
		a.add("ssh %s required=%v at %s", s.Name, s.Required, placeOf(s.Loc.Ranges))
	}
	return a
}

// UpstreamTargets lists the stages.
func UpstreamTargets(ctx context.Context, r Request) (a Answer) {
	if !Oracle {
		return Answer{Err: errSilent}
	}
	defer func() {
		if recover() != nil { // a check directive in front of an instruction
			a = Answer{Err: errPanics}
		}
	}()
	list, err := dockerfile2llb.ListTargets(ctx, r.Dockerfile)
	if err != nil {
		return Answer{Err: err}
	}
	for i, t := range list.Targets {
		a.add("%03d %s: %s default=%v base=%s platform=%s at %s", i, t.Name, t.Description, t.Default, t.Base, t.Platform, place(t.Location))
	}
	return a
}

// OurTargets returns the same from our parser.
func OurTargets(_ context.Context, r Request) (a Answer) {
	f, err := dockerfile.List(dockerfile.NewFiles("Dockerfile", r.Dockerfile, nil))
	if err != nil {
		return Answer{Err: err}
	}
	for i, s := range f.Stages {
		a.add("%03d %s: %s default=%v base=%s platform=%s at %s", i, s.Name, s.DocComment, i == len(f.Stages)-1, s.BaseName, s.Platform, placeOf(s.Location))
	}
	return a
}

// UpstreamLint checks all stages, or the target. An error of the build is not
// an error of the check.
func UpstreamLint(ctx context.Context, r Request) (a Answer) {
	if !Oracle {
		return Answer{Err: errSilent}
	}
	defer func() {
		if recover() != nil { // an ARG among the triggers of an image in COPY --from
			a = Answer{Err: errPanics}
		}
	}()
	f, err := r.open(ctx)
	if err != nil {
		return Answer{Err: err}
	}
	f.source.Definition = &llb.Definition{}
	res, err := dockerfile2llb.DockerfileLint(ctx, f.source.Data, f.convertOpt(f.platforms()[0]))
	if err != nil {
		return Answer{Err: err}
	}
	for _, w := range res.Warnings {
		a.add("%s at %s: %s (%s, %s)", w.RuleName, place(w.Location), w.Detail, w.Description, w.URL)
	}
	a.buildError(res.Error)
	return a
}

// OurLint returns the same from our plan.
func OurLint(ctx context.Context, r Request) (a Answer) {
	f, err := r.open(ctx)
	if err != nil {
		return Answer{Err: err}
	}
	req := f.request(f.platforms()[0])
	req.EveryStage = req.Target == ""
	req.Warn = func(_ dockerfile.FileID, rule, description, url, text string, where []parser.Range) {
		a.add("%s at %s: %s (%s, %s)", rule, placeOf(where), text, description, url)
	}
	if _, err := compiler.Evaluate(ctx, req); err != nil {
		a.Err = err
	}
	return a
}

// buildError has the place of an error, its message differs in detail.
func (a *Answer) buildError(e *lint.BuildError) {
	if e == nil {
		return
	}
	err := errors.New(e.Message)
	if ranges := e.Location.GetRanges(); len(ranges) > 0 {
		at := parser.Range{Start: parser.Position{Line: int(ranges[0].Start.Line)}, End: parser.Position{Line: int(ranges[0].End.Line)}}
		err = parser.WithLocation(err, []parser.Range{at})
	}
	a.Err = err
}
