// Package conformance runs upstream's own integration tests of its Dockerfile frontend, compiled
// unmodified from the pinned module, against our frontend image, and compares the outcome with that of
// upstream's own image in the same harness on the same machine.
//
// A run goes through these phases:
//
//  1. compile: the test binary, upstream's frontend and the CNI plugins are built once into the cache
//     (compile.go) and upstream's frontend is packed as an OCI archive (archive.go);
//  2. images: the base images that the tests name go into the storage of the registry that upstream's
//     harness starts as docker.io's mirror (mirror.go);
//  3. baseline: the tests run against upstream's own image, unless the cache has that result for just
//     these ingredients (baseline.go);
//  4. run: the tests run against our image (measure.go, run.go) in an enclosure, which takes every
//     process, mount and file with it when it ends (room.sh). In it buildkitd is a script which
//     switches the daemon's own dockerfile.v0 off before it starts the real one (daemon.sh). The few
//     tests that ask for dockerfile.v0 whatever image is under test get a daemon that has our
//     frontend for it (daemon.go);
//  5. verdict: what upstream passes and ours does not must be listed in known-failures.txt, and
//     nothing else may be (verdict.go, known.go).
//
// A failing test is run once more alone before it counts, since machines are noisy. The same holds for
// the baseline.
package conformance
