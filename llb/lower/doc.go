// Package lower is the last phase of the compiler: it turns a plan into LLB,
// one small function for each operation.
//
// All values come from the plan. A state is only the chain of filesystems
// here; what it would carry besides (variables, directory, user) is set again
// for each program that runs, from the plan's step, so that no state is ever
// asked for a variable and a chain of stages costs no more than its steps.
package lower
