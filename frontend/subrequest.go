package frontend

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stagecraft/stagecraft/frontend/diagram"
)

// answer answers a subrequest: what `docker buildx build --call=NAME` shows.
type answer struct {
	definition subrequests.Request
	// listed says that --call=subrequests.describe shows it. docker/dockerfile
	// leaves two of its own out, and so does this table.
	listed bool
	reply  func(*request, context.Context) (*client.Result, error)
}

func answers() []answer {
	return []answer{
		{outline.SubrequestsOutlineDefinition, true, (*request).outline},
		{targets.SubrequestsTargetsDefinition, true, (*request).targets},
		{subrequests.SubrequestsDescribeDefinition, true, (*request).describe},
		{lint.SubrequestLintDefinition, false, (*request).check},
		{convertllb.SubrequestConvertLLBDefinition, false, (*request).convertLLB},
		{graphText, true, drawing((*diagram.Graph).Text)},
		{graphMermaid, true, drawing((*diagram.Graph).Mermaid)},
		{graphDot, true, drawing((*diagram.Graph).Dot)},
	}
}

// subrequest answers the subrequest of the client, if the request is one.
func (r *request) subrequest(ctx context.Context) (_ *client.Result, asked bool, _ error) {
	name, ok := r.opts["requestid"]
	if !ok {
		return nil, false, nil
	}
	for _, a := range answers() {
		if a.definition.Name == name {
			res, err := a.reply(r, ctx)
			return res, true, err
		}
	}
	return nil, true, errdefs.NewUnsupportedSubrequestError(name)
}

func (r *request) describe(context.Context) (*client.Result, error) {
	var list []subrequests.Request
	for _, a := range answers() {
		if a.listed {
			list = append(list, a.definition)
		}
	}
	dt, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(dt, &text); err != nil {
		return nil, err
	}
	res := client.NewResult()
	res.Metadata = map[string][]byte{
		"result.json": dt,
		"result.txt":  text.Bytes(),
		"version":     []byte(subrequests.SubrequestsDescribeDefinition.Version),
	}
	return res, nil
}
