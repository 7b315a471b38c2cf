// Package lock writes down what a build is made from: every image, URL and Git
// reference with the digest that it has now. The file is a source policy of
// BuildKit, so that what exists enforces it, with a part of ours for people
// and for programs.
//
//	collect.go   LLB -> the sources that it fetches
//	document.go  sources -> the file, and back
//	rego.go      a policy for buildx that pins what is in the file and refuses the rest
//	compare.go   what moved since the file was written
//	enforce.go   a build keeps to the file
//
// The sources are those of the LLB that a build would hand to BuildKit: what
// no operation fetches is not needed, and what one does is looked up by the
// very words that BuildKit's policies see.
package lock
