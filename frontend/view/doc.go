// Package view is the stages of a Dockerfile as answers tell of them: nodes and
// edges of plain values with their places, made from the compiler's graph. What
// follows from these alone, which nodes the target needs and which edges close
// a cycle, is part of it ([Graph.Complete]); how it is drawn is package
// diagram's.
package view
