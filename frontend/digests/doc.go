// Package digests says where the cache went: docs/digests.md.
//
// A report lists the steps of a build with digests that two runs can compare, and with what these are made from.
// Compared with an earlier report, it names what changed and which steps run again because of it.
//
//	steps.go    the plan as steps, and what each is made from
//	compare.go  which steps of two reports are the same
//	pair.go     what differs between two versions of a step
//	reach.go    what runs again because of a change
//	text.go     for people
package digests
