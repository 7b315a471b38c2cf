package gateway

import (
	"context"
	"maps"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	compiler "github.com/stagecraft/stagecraft/llb"
)

// Session is one build of a client. It is safe for concurrent use: what it
// remembers of answers is the only thing that changes.
type Session struct {
	// UI reads the Docker conventions of build options: contexts, named
	// contexts, ignore files, platforms.
	UI *dockerui.Client
	// Client is the daemon; images are looked up once.
	Client client.Client
	// Frontend returns the image that runs, nil where the daemon does not say.
	Frontend func() (*llb.State, error)
	// Dockerfile is the file to build, with the state that it was read from.
	Dockerfile *dockerui.Source

	// Pin returns the reference to look up in place of an image's: one with a
	// digest. An error is about an image that must not be used. Nil: any. It
	// is set, if at all, before anything is asked of the session.
	Pin func(ref string) (string, error)

	opts    map[string]string // build options, without our additional names for contexts
	read    readFiles
	folders folders
}

// New returns the session of a client and daemon, without the Dockerfile.
func New(c client.Client) (*Session, error) {
	s := &Session{Client: rememberImages(aliasContexts(guardedClient{c})), Frontend: currentFrontend(c), opts: maps.Clone(c.BuildOpts().Opts)}
	err := checkContextNames(s.opts)
	if err != nil {
		return nil, err
	}
	s.UI, err = dockerui.NewClient(s.Client)
	return s, err
}

// ReadDockerfile reads the file to build from where the client keeps it. It
// must be over before anything else is asked of the session.
func (s *Session) ReadDockerfile(ctx context.Context) (err error) {
	s.Dockerfile, err = s.UI.ReadEntrypoint(ctx, "Dockerfile")
	return err
}

// Goal is what is compiled and built: the target or one of its gates, for one
// platform.
type Goal struct {
	// Platform is nil for that of the daemon.
	Platform *ocispecs.Platform
	// Gate is nil for the target.
	Gate *compiler.Gate
}

// For returns the outside world of a goal.
func (s *Session) For(goal Goal) *Sources {
	return &Sources{Session: s, goal: goal}
}

// WithOpts returns a client with other build options.
func WithOpts(c client.Client, opts map[string]string) client.Client {
	return &withOpts{Client: c, opts: opts}
}

type withOpts struct {
	client.Client
	opts map[string]string
}

func (w *withOpts) BuildOpts() client.BuildOpts {
	opts := w.Client.BuildOpts()
	opts.Opts = w.opts
	return opts
}

// currentFrontend returns what the client's library knows of the frontend's image.
func currentFrontend(c client.Client) func() (*llb.State, error) {
	if w, ok := c.(*withOpts); ok {
		return currentFrontend(w.Client)
	}
	if knows, ok := c.(interface{ CurrentFrontend() (*llb.State, error) }); ok {
		return knows.CurrentFrontend
	}
	return func() (*llb.State, error) { return nil, nil }
}

func (s *Session) solveState(ctx context.Context, st llb.State) (client.Reference, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(s.UI.BuildOpts().Caps))
	if err != nil {
		return nil, err
	}
	res, err := s.Client.Solve(ctx, client.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
