package frontend

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/stagecraft/stagecraft/frontend/answer"
)

// describeCall lists the subrequests.
func describeCall(context.Context, *request) (answer.Answer, error) {
	var list []subrequests.Request
	for _, c := range calls() {
		if c.listed {
			list = append(list, c.Request)
		}
	}
	dt, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return answer.Answer{}, err
	}
	var text bytes.Buffer
	err = subrequests.PrintDescribe(dt, &text)
	return answer.Answer{JSON: dt, Text: text.String(), Version: subrequests.SubrequestsDescribeDefinition.Version}, err
}
