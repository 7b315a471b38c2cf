// Package stage is the second phase of the compiler: it turns a parsed
// Dockerfile into the [Graph] of its stages.
//
// Names, indexes and image references become edges here and nowhere else:
// the base of a stage, the sources of COPY --from and RUN --mount=from, and
// the images that they bring in. Which stages a target needs, in which order
// they are evaluated and whether they run in a cycle are questions to the
// graph (reach.go, cycle.go).
//
// The graph still grows while bases are resolved, because an ONBUILD trigger
// may refer to further stages and images (see [Graph.AddTriggers]); after
// that it is only read.
package stage
