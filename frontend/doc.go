// Package frontend is Stagecraft as BuildKit sees it: a program that BuildKit
// runs for a build and talks to through the gateway API.
//
// The life of a request, phase by phase; [Build] reads the same:
//
//  1. The build options become a [request] (request.go), and the Dockerfile
//     is read from where the client keeps it. The request is only read after
//     that; what is asked of the daemon and the client for it goes through
//     package gateway.
//  2. A "# syntax=" line or BUILDKIT_SYNTAX that names another frontend
//     passes the build on to it (syntax.go).
//  3. A subrequest, such as --call=outline, is answered and the build is over
//     (calls.go).
//  4. For each platform at once (platform.go), the compiler in package llb
//     turns the Dockerfile into LLB, asking for images, named contexts and
//     files through package gateway, and the daemon solves it.
//  5. The references, image configs and attestations become the result
//     (platform.go, sbom.go).
//
// Locations travel as parser ranges until they leave: warnings and errors
// through diagnostic.go, answers in their adapters. Texts leave by the law of
// package outgoing.
package frontend
