//go:build !race

package llbtest

// Oracle says whether upstream's compiler is asked; see the other definition.
const Oracle = true
