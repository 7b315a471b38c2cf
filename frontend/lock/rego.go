package lock

import (
	"fmt"
	"strings"
)

// Rego returns a policy for buildx 0.31 or newer. Beside a Dockerfile, under
// its name and .rego, it has a bare docker build use what the lock has and
// refuse the rest. file is the lock's name in the same folder.
func Rego(file string) string {
	return strings.ReplaceAll(fmt.Sprintf(rego, file, strings.ReplaceAll(command, FileName, file)), "\t", "  ")
}

const rego = `package docker

# Written by --call=lock.rego: builds with exactly what %[1]s has, and with nothing else.

lock := load_json(%[1]q)

default allow := false

# What the client sends is what is built.
allow if input.local

# An image with a tag becomes the one of the lock; one with a digest is pinned already.
locked contains s if {
	some s in lock.stagecraft.sources
	input.image
	s.ref == sprintf("%%s:%%s", [input.image.fullRepo, input.image.tag])
}

allow if {
	some s in locked
	pin_image(input.image, s.digest)
}

allow if {
	input.image.isCanonical
	not input.image.tag
}

# A file must have the checksum of the lock.
allow if {
	some s in lock.stagecraft.sources
	s.ref == input.http.url
	s.digest == input.http.checksum
}

# A Git reference must be at the commit of the lock.
allow if {
	some s in lock.stagecraft.sources
	startswith(s.ref, "git://")
	contains(input.git.remote, split(trim_prefix(s.ref, "git://"), "#")[0])
	s.digest == input.git.commitChecksum
}

deny_msg contains msg if {
	input.image
	count(locked) == 0
	not input.image.isCanonical
	msg := sprintf("%%s is not in %[1]s; write it again: %[2]s", [input.image.ref])
}

deny_msg contains msg if {
	input.http
	not allow
	msg := sprintf("%%s is not in %[1]s, or has another checksum there; write it again: %[2]s", [input.http.url])
}

deny_msg contains msg if {
	input.git
	not allow
	msg := sprintf("%%s is not in %[1]s, or at another commit there; write it again: %[2]s", [input.git.remote])
}

decision := {"allow": allow, "deny_msg": deny_msg}
`
