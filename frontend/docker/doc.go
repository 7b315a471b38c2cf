// Package docker makes the answers that docker/dockerfile gives, too (outline,
// targets, check): what it says, byte for byte, and what only ours has to say.
// Clients print these from their JSON; the texts in it leave by the law of
// package outgoing.
package docker

// ExtendedVersion is the version of these answers where they say something
// that clients cannot print yet: then clients print our text.
const ExtendedVersion = "1.1.0"
