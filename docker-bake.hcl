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
    GOPROXY = GOPROXY != "" ? GOPROXY : null
    VERSION = VERSION
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
