// Package gateway is everything that is asked of the daemon and of the client:
// images, named contexts, build contexts, the files that Dockerfiles refer
// to, and times. Nothing else in the frontend or the compiler does so, but for
// the solve of what was compiled.
//
// A [Session] is one build of a client. [Session.For] gives the compiler the
// outside world as it is for one [Goal]:
//
//	sources.go    images and named contexts, which compilers ask for
//	contexts.go   the build contexts, those of FROM --context as well
//	folders.go    platforms and gates that want the same files share a transfer
//	files.go      other Dockerfiles, each read once
//	expect.go     several of them at once, when it is known that they are needed
//	missing.go    what may have been meant by a path that leads nowhere
//	times.go      when a source was last changed, for SOURCE_DATE_EPOCH
//	images.go     each image is looked up once
//	names.go      names for contexts that dockerui would not accept
//	tolerance.go  empty images for those out of reach, where an answer can do without
package gateway
