//go:build race

package llbtest

// Oracle says whether upstream's compiler is asked. It has data races of its
// own (its goroutines share a linter and a cache), so that with the race
// detector every comparison would fail: then only ours runs.
const Oracle = false
