// Package dockerfile is the first phase of the compiler: it turns the bytes
// of a Dockerfile into a [File] of stages and instructions.
//
// The grammar is BuildKit's own: the line parser, the instruction parser and
// the build-check rules come from github.com/moby/buildkit/frontend/dockerfile
// (packages parser, instructions and linter). What Stagecraft adds to the
// language is recognised here, node by node, before BuildKit's instruction
// parser sees the node, so that every spelling which BuildKit accepts reaches
// it untouched.
//
// Nothing is expanded and no name is looked up here: that is the work of the
// stage graph (package stage) and of the plan (package plan).
package dockerfile
