package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/review"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// reviewCall answers with what a review finds, as show has it.
func reviewCall(show func(*review.Report) (answer.Answer, error)) func(context.Context, *request) (answer.Answer, error) {
	return func(ctx context.Context, r *request) (answer.Answer, error) {
		skip, err := review.ParseSkip(r.option("REVIEW"))
		if err != nil {
			return answer.Answer{}, err
		}
		in, err := r.reviewed(ctx, r.UI.Target == "")
		if err != nil && r.UI.Target == "" {
			// What is wrong may be in a stage that the target does without.
			in, err = r.reviewed(ctx, false)
		}
		if err != nil {
			return answer.Answer{}, err
		}
		in.Skip = skip
		report := review.New(in)
		a, err := show(report)
		a.Version, a.Status = answer.Version, answer.Judge(!report.Failed())
		return a, err
	}
}

// reviewed compiles for the first of the target platforms, every stage or only
// those that the target needs. Images out of reach are no error.
func (r *request) reviewed(ctx context.Context, every bool) (review.Input, error) {
	c := r.compilation(ctx, r.goal())
	src := gateway.Tolerate(c.Sources)
	in := review.Input{
		Files:      c.Files,
		BuildArgs:  c.BuildArgs,
		Unresolved: src.Unresolved,
	}
	c.Sources, c.EveryStage = src, every
	c.Warn = func(file dockerfile.FileID, rule, _, _, _ string, where []parser.Range) {
		in.Checks = append(in.Checks, review.Check{Rule: rule, File: file, Where: where})
	}
	var err error
	in.Plan, err = compiler.Evaluate(ctx, c.Request)
	return in, c.locate(err)
}

func reviewText(r *review.Report) (answer.Answer, error) { return answer.New(r, r.Text()) }

func reviewGitHub(r *review.Report) (answer.Answer, error) { return answer.New(r, r.GitHub()) }

func reviewSARIF(r *review.Report) (answer.Answer, error) {
	dt, err := r.SARIF()
	return answer.Answer{JSON: dt, Text: string(dt) + "\n"}, err
}
