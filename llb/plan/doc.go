// Package plan is the fourth phase of the compiler: it evaluates the
// instructions of the stages that a target needs.
//
// A [Plan] is plain values. Variables are expanded, paths are absolute, each
// step has its progress name, and the image config with its history is
// complete; no filesystem state exists yet, and none is needed for any of
// these. What an instruction means is in the file of its name, from add.go to
// workdir.go. Package lower turns the plan into LLB; [Plan.String] prints it.
package plan
