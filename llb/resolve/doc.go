// Package resolve is the third phase of the compiler: it finds out what the
// stage graph stands on. Base images become digests and configs, named
// contexts become filesystem states, SOURCE_DATE_EPOCH becomes a time, and
// the ONBUILD triggers that come with all of these are added to the graph
// until nothing new turns up. Its result is not changed afterwards.
//
// Everything from outside comes through [Sources], so that the phases behind
// this one need no network, no gateway and no context.Context.
package resolve
