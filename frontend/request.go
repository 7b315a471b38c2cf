package frontend

import (
	"context"
	"maps"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/moby/buildkit/util/stack"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/lock"
	"google.golang.org/grpc/codes"
)

// request is what the client wants. It is only read.
type request struct {
	*gateway.Session
	// opts are the build options as they came.
	opts map[string]string
	// options are those that are for the frontend alone; see option.
	options map[string]string
	// unsupported is the error for a capability that the client requires
	// and Stagecraft lacks; forwarding may still help.
	unsupported error
	// lock is what the build keeps to, nil for nothing; see useLock.
	lock *lock.Lock
}

// newRequest parses the build options and reads the Dockerfile.
func newRequest(ctx context.Context, c client.Client) (*request, error) {
	r := &request{opts: maps.Clone(c.BuildOpts().Opts)}
	c, r.options = takeOptions(c)
	var err error
	if r.Session, err = gateway.New(c); err != nil {
		return nil, err
	}
	forward, err := checkCaps(r.opts["frontend.caps"])
	if err != nil && !forward {
		return nil, err
	}
	r.unsupported = err
	return r, r.ReadDockerfile(ctx)
}

// goal returns what most answers are about: the target, for the first of the
// platforms that the client names.
func (r *request) goal() gateway.Goal { return r.goals()[0] }

// goals returns the target for each of the platforms of the request.
func (r *request) goals() []gateway.Goal {
	goals := make([]gateway.Goal, max(1, len(r.UI.TargetPlatforms)))
	for i := range r.UI.TargetPlatforms {
		goals[i].Platform = &r.UI.TargetPlatforms[i]
	}
	return goals
}

// frontendCaps are the capabilities that a client may require of a frontend.
var frontendCaps = map[string]bool{
	"moby.buildkit.frontend.inputs":         true,
	"moby.buildkit.frontend.subrequests":    true,
	"moby.buildkit.frontend.contexts":       true,
	"moby.buildkit.frontend.gitquerystring": true,
	"moby.buildkit.frontend.contexts.zstd":  true,
}

// checkCaps returns an error for the first capability of a list such as
// "name,name+forward" that Stagecraft lacks. Forward says that the client
// would be content with a frontend that the build is passed on to.
func checkCaps(required string) (forward bool, err error) {
	if required == "" {
		return false, nil
	}
	for word := range strings.SplitSeq(required, ",") {
		name, _, _ := strings.Cut(word, "+")
		if frontendCaps[name] {
			continue
		}
		err = stack.Enable(grpcerrors.WrapCode(errdefs.NewUnsupportedFrontendCapError(name), codes.Unimplemented))
		if !strings.Contains(word, "+forward") {
			return false, err
		}
		forward = true
	}
	return forward, err
}
