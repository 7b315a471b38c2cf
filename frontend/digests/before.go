package digests

import (
	"bytes"
	"encoding/json"

	"github.com/pkg/errors"
)

// ReadBefore reads an earlier answer. Errors say where in it they are.
func ReadBefore(data []byte) (*Report, error) {
	const what = "this is not an answer of --call=digests,format=json"
	var before Report
	if err := json.Unmarshal(data, &before); err != nil {
		line := 1
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			line += bytes.Count(data[:min(syntax.Offset, int64(len(data)))], []byte("\n"))
		case errors.As(err, &kind):
			line += bytes.Count(data[:min(kind.Offset, int64(len(data)))], []byte("\n"))
		}
		return nil, errors.Errorf("line %d: %s: %v", line, what, err)
	}
	switch {
	case before.Version == 0 || before.Target == "" || before.Platform == "" || before.Steps == nil:
		return nil, errors.New(what)
	case before.Version != SchemaVersion:
		return nil, errors.Errorf("this is an answer of version %d, and this version of Stagecraft reads version %d; make it again", before.Version, SchemaVersion)
	}
	for i, s := range before.Steps {
		for _, below := range append(append([]int{}, s.On...), s.Copies...) {
			if below < 0 || below >= i {
				return nil, errors.Errorf("step %d stands on a step that does not come before it: this answer was changed after it was made", i)
			}
		}
	}
	return &before, nil
}
