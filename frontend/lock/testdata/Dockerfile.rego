package docker

# Written by --call=lock.rego: builds with exactly what Dockerfile.lock has, and with nothing else.

lock := load_json("Dockerfile.lock")

default allow := false

# What the client sends is what is built.
allow if input.local

# An image with a tag becomes the one of the lock; one with a digest is pinned already.
locked contains s if {
  some s in lock.stagecraft.sources
  input.image
  s.ref == sprintf("%s:%s", [input.image.fullRepo, input.image.tag])
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
  msg := sprintf("%s is not in Dockerfile.lock; write it again: docker buildx build --call=lock . > Dockerfile.lock", [input.image.ref])
}

deny_msg contains msg if {
  input.http
  not allow
  msg := sprintf("%s is not in Dockerfile.lock, or has another checksum there; write it again: docker buildx build --call=lock . > Dockerfile.lock", [input.http.url])
}

deny_msg contains msg if {
  input.git
  not allow
  msg := sprintf("%s is not in Dockerfile.lock, or at another commit there; write it again: docker buildx build --call=lock . > Dockerfile.lock", [input.git.remote])
}

decision := {"allow": allow, "deny_msg": deny_msg}
