package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/diagram"
)

// call is a subrequest: what `docker buildx build --call=NAME` asks for.
type call struct {
	subrequests.Request
	// listed says that --call=subrequests.describe shows it. docker/dockerfile
	// leaves two of its own out, and so does this table.
	listed bool
	answer func(context.Context, *request) (answer.Answer, error)
}

// calls returns the subrequests that there are: docker/dockerfile's, then
// ours. Each is answered in call_NAME.go.
func calls() []call {
	return []call{
		{outline.SubrequestsOutlineDefinition, true, outlineCall},
		{targets.SubrequestsTargetsDefinition, true, targetsCall},
		{subrequests.SubrequestsDescribeDefinition, true, describeCall},
		{lint.SubrequestLintDefinition, false, checkCall},
		{convertllb.SubrequestConvertLLBDefinition, false, convertLLBCall},
		{ours("graph", "Draw the stages, what they need and what runs in parallel"), true, graphCall((*diagram.Graph).Text)},
		{ours("graph.mermaid", "Draw the stages as a Mermaid flowchart"), true, graphCall((*diagram.Graph).Mermaid)},
		{ours("graph.dot", "Draw the stages as a Graphviz digraph"), true, graphCall((*diagram.Graph).Dot)},
		{ours("graph.svg", "Draw the stages as a picture, in SVG"), true, graphCall((*diagram.Graph).SVG)},
		{ours("review", "Judge the Dockerfile by the practices of multi-stage builds"), true, reviewCall(reviewText)},
		{ours("review.sarif", "The review for code scanning, as SARIF"), true, reviewCall(reviewSARIF)},
		{ours("review.github", "The review as annotations for GitHub Actions"), true, reviewCall(reviewGitHub)},
		{ours("digests", "The steps and their digests, or why they run again"), true, digestsCall},
		{ours("size", "Build the target, and say where its bytes come from"), true, sizeCall},
		{ours("flatten", "Write one plain Dockerfile for docker/dockerfile that builds the same"), true, flattenCall},
		{ours("bake", "Write a docker-bake.json with a target for each stage"), true, bakeCall},
		{ours("lock", "Write down the digests of all that the build is made from"), true, lockCall},
		{ours("lock.rego", "Write a policy for buildx that keeps builds to the lock"), true, lockRegoCall},
		{ours("lock.check", "Say what moved since the lock was written"), true, lockCheckCall},
	}
}

// ours returns the definition of a subrequest that docker/dockerfile lacks.
func ours(name, description string) subrequests.Request {
	return subrequests.Request{
		Name:        "frontend." + name,
		Version:     answer.Version,
		Type:        subrequests.TypeRPC,
		Description: description,
		Opts:        []subrequests.Named{{Name: "target", Description: "Target build stage"}},
		Metadata:    []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}},
	}
}

// call answers the subrequest of the client, if the request is one.
func (r *request) call(ctx context.Context) (_ *client.Result, asked bool, _ error) {
	name, ok := r.opts["requestid"]
	if !ok {
		return nil, false, nil
	}
	for _, c := range calls() {
		if c.Name == name {
			a, err := c.answer(ctx, r)
			if err != nil {
				return nil, true, err
			}
			res := client.NewResult()
			res.Metadata, err = a.Metadata()
			return res, true, err
		}
	}
	return nil, true, errdefs.NewUnsupportedSubrequestError(name)
}

// upstream returns the answer that one of BuildKit's packages for subrequests
// made, so that docker/dockerfile's answers are made as there.
func upstream(res *client.Result, err error) (answer.Answer, error) {
	if err != nil {
		return answer.Answer{}, err
	}
	return answer.Of(res.Metadata), nil
}
