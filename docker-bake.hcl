# docker buildx bake [image|image-all-platforms|release|lint|test]

variable "REPOSITORY" {
  default = "stagecraft/stagecraft"
}

variable "TAG" {
  default = "latest"
}

variable "VERSION" {
  default = "dev"
}

# The frontend image to build with. Without one, BuildKit's docker/dockerfile reads the Dockerfile, which
# gives the same image from the same cache. The file has no "# syntax=" line of ours: nobody could build
# it who has no such image in a registry yet.
variable "BUILDKIT_SYNTAX" {
  default = ""
}

# Taken from the environment where it is set there, as go itself does.
variable "GOPROXY" {
  default = ""
}

# The version that release publishes: MAJOR.MINOR.PATCH.
variable "RELEASE" {
  default = "0.0.0"
}

# The image that makes the SBOM; without one it is BuildKit's own choice.
variable "SBOM_GENERATOR" {
  default = ""
}

# The commit that is released, and its time in seconds since 1970, which the image's files and config have.
variable "REVISION" {
  default = ""
}
variable "SOURCE_DATE_EPOCH" {
  default = "0"
}

group "default" {
  targets = ["image"]
}

group "validate" {
  targets = ["lint", "test"]
}

target "_base" {
  args = {
    BUILDKIT_SYNTAX = BUILDKIT_SYNTAX != "" ? BUILDKIT_SYNTAX : null
    GOPROXY         = GOPROXY != "" ? GOPROXY : null
    VERSION         = VERSION
  }
}

target "image" {
  inherits = ["_base"]
  target   = "image"
  tags     = ["${REPOSITORY}:${TAG}"]
}

target "image-all-platforms" {
  inherits  = ["image"]
  platforms = ["linux/amd64", "linux/arm64"]
}

# What is published: with an SBOM and full provenance, under three tags of one digest. It asks for RELEASE,
# REVISION and SOURCE_DATE_EPOCH in the environment. Of the same commit it makes the same images.
target "release" {
  inherits = ["image-all-platforms"]
  args = {
    VERSION           = RELEASE
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
  }
  tags = [
    "${REPOSITORY}:${split(".", RELEASE)[0]}",
    "${REPOSITORY}:${split(".", RELEASE)[0]}.${split(".", RELEASE)[1]}",
    "${REPOSITORY}:${RELEASE}",
  ]
  labels = {
    "org.opencontainers.image.version"  = RELEASE
    "org.opencontainers.image.revision" = REVISION
  }
  annotations = [
    "index,manifest:org.opencontainers.image.title=Stagecraft",
    "index,manifest:org.opencontainers.image.description=A BuildKit frontend for multi-stage Dockerfiles",
    "index,manifest:org.opencontainers.image.version=${RELEASE}",
    "index,manifest:org.opencontainers.image.revision=${REVISION}",
  ]
  attest = [
    "type=provenance,mode=max",
    SBOM_GENERATOR == "" ? "type=sbom" : "type=sbom,generator=${SBOM_GENERATOR}",
  ]
  output = ["type=registry,rewrite-timestamp=true"]
}

# The two that follow make no image: that they succeed is all that is wanted of them.
target "lint" {
  inherits = ["_base"]
  target   = "lint"
  output   = ["type=cacheonly"]
}

target "test" {
  inherits = ["_base"]
  target   = "test"
  output   = ["type=cacheonly"]
}
