// Package llbtest compares the compiler with docker/dockerfile's own, which
// it drives as the oracle: package dockerfile2llb is imported here and nowhere
// else outside of tests.
//
//	Gateway    a client of BuildKit without BuildKit: images, files and build
//	           options that both compilers see alike
//	Request    one compilation, in the words of a client
//	Ours       the request through this repository's compiler
//	Upstream   the same through docker/dockerfile's
//	Outcome    what came out, with everything random made the same
//	Diff       the first difference of two outcomes, for people
package llbtest
