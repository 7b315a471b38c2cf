# docker buildx bake
# One build for all three. The stages that they share run once.
group "default" {
  targets = ["image", "test", "build"]
}

target "image" {
  target = "production"
  tags   = ["contrast"]
}

target "test" {
  target = "test"
  output = ["type=cacheonly"]
}

# The bundled server without its image, in a folder:
# docker buildx bake build --set build.output=out
target "build" {
  target = "build"
  output = ["type=cacheonly"]
}
