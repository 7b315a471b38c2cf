// Package flatten writes one plain Dockerfile for docker/dockerfile that
// builds the same as a Dockerfile with additions, from the same cache.
//
// [New] works on the text, so that comments, here-documents and line endings
// survive, and asks the graph of stages (llb/stage) what the text means:
//
//	scan.go     files -> pieces: an instruction with the comments before it
//	words.go    the flags and words of an instruction, with their places in the text
//	order.go    which stages are written, and in which order
//	names.go    what each stage is called, and what a reference means to docker/dockerfile
//	globals.go  ARGs before the first FROM of several files in one scope
//	rewrite.go  the edits of one instruction
//	emit.go     pieces -> text
//	plain.go    what docker/dockerfile has no words for
//	verify.go   the flattened file compiles to the same operations
//
// What an instruction needs no edit for is copied byte by byte: a Dockerfile
// without additions comes out as it is, but for its syntax line.
package flatten
