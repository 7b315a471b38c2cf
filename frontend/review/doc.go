// Package review judges a Dockerfile by the practices of multi-stage builds.
//
// [New] takes what the compiler knows: the graph of the stages, the plan where
// there is one, and what docker/dockerfile's own checks found. Facts that
// several rules ask for are gathered in [Subject] (subject.go), what a RUN
// executes in shell.go. A rule is data: a [Rule] with its texts and a function
// from the Subject to findings, in a file of its topic; [Rules] lists them all.
// report.go runs them, leaves out what is skipped or already said by
// docker/dockerfile, and text.go, sarif.go and github.go show the result.
//
// The package asks nobody: it neither reads files nor talks to a daemon.
package review
