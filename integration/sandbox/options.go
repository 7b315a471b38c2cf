package sandbox

// Option changes what Start starts.
type Option func(*settings)

type settings struct {
	noBuiltinFrontend bool
	images            []string
	noImages          bool
	toml              string
	state             string
	stateRule         stateRule
	small             bool
}

// Small starts with the fewest programs, for one who waits until they are compiled: buildx is not there, and the
// registry is part of this process. Buildctl is the client.
func Small() Option { return func(s *settings) { s.small = true } }

// WithoutBuiltinFrontend switches the daemon's own dockerfile.v0 off, so that whatever reads a
// Dockerfile is a frontend image. That frontend is also what follows a "# syntax=" line when a client
// asks for dockerfile.v0, so a build must name the image itself: with buildx by the build argument
// BUILDKIT_SYNTAX, with buildctl by --frontend gateway.v0 --opt source=IMAGE.
func WithoutBuiltinFrontend() Option { return func(s *settings) { s.noBuiltinFrontend = true } }

// WithImages names the base images that the registry holds, such as "docker.io/library/busybox:latest".
// Without this option it holds all of package images.
func WithImages(refs ...string) Option {
	return func(s *settings) { s.images = append(s.images, refs...) }
}

// WithoutImages starts with an empty registry.
func WithoutImages() Option { return func(s *settings) { s.noImages = true } }

// WithBuildkitdTOML appends text to the daemon's configuration file. A table that is already in it,
// such as [worker.oci], cannot be opened again; see config in this package.
func WithBuildkitdTOML(text string) Option { return func(s *settings) { s.toml += text + "\n" } }

// WithState keeps the daemon's folder in the cache under a name, and those of the sandbox's Docker
// Engines, so that their build caches, mounts of type=cache above all, are there for the next sandbox with
// that name. Only one at a time has it; others wait. A test that needs a step to run must give it content
// that no run before had.
func WithState(name string) Option {
	return func(s *settings) { s.state, s.stateRule = name, waitForState }
}

// WithStateIfFree is WithState, but while another sandbox has the state, this one says so and starts
// without.
func WithStateIfFree(name string) Option {
	return func(s *settings) { s.state, s.stateRule = name, startWithoutState }
}
