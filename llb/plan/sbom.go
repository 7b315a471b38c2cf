package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft/stagecraft/llb/stage"
)

func (e *stageEval) scanForSBOM() {
	e.out.ScanContext = e.scans(stage.ScanContextArg)
	e.out.ScanStage = e.scans(stage.ScanStageArg)
}

// scans is the value of an arg for this stage: the global one, unless the
// stage has an ARG of its own.
func (e *stageEval) scans(arg string) bool {
	value, set := e.unit.Globals.Env.Get(arg)
	for _, kv := range e.declared {
		if kv.Key == arg && kv.Value != nil {
			value, set = *kv.Value, true
		}
	}
	if !set {
		return false // an empty list would name the only stage of a file
	}
	return names(value, e.out.Node.Label)
}

// names reports whether the value of a scan arg means a stage: a boolean means all
// or none, else it is a list of stages.
func names(value, label string) bool {
	if on, err := strconv.ParseBool(value); err == nil {
		return on
	}
	return slices.Contains(strings.Split(value, ","), label)
}
