// Package measure makes the LLB that measures the layers of stages: steps that mount the states of a compiled
// Dockerfile and run the frontend's own program on them, which is package walk there. It asks nobody: what the
// daemon has to say of images is given to it, and the caller solves what it makes.
//
//	ops.go         the operations of a compiled Dockerfile, with the digests that they were solved with
//	layers.go      a state of a filesystem as the layers that an exporter makes of it
//	chain.go       which step of the plan each layer of a stage comes from
//	definition.go  one measuring step for each stage and each base, and a last one that collects the results
package measure
