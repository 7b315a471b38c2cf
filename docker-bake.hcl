# docker buildx bake [image|image-all-platforms|lint|test]

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
