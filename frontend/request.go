package frontend

import (
	"context"
	"maps"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/moby/buildkit/util/stack"
	"google.golang.org/grpc/codes"
)

// request is what the client wants, parsed once.
type request struct {
	// ui reads the Docker conventions of build options: contexts, named
	// contexts, ignore files, platforms.
	ui *dockerui.Client
	gw client.Client
	// opts are the build options as they came.
	opts map[string]string
	// options are those that are for the frontend alone; see option.
	options map[string]string
	// unsupported is the error for a capability that the client requires
	// and Stagecraft lacks; forwarding may still help.
	unsupported error

	dockerfile *dockerui.Source
	read       readFiles
	folders    folders
}

func newRequest(c client.Client) (*request, error) {
	rest, options := takeOptions(c)
	gw := rememberImages(aliasContexts(rest))
	ui, err := dockerui.NewClient(gw)
	if err != nil {
		return nil, err
	}
	r := &request{ui: ui, gw: gw, opts: maps.Clone(c.BuildOpts().Opts), options: options}
	forward, err := checkCaps(r.opts["frontend.caps"])
	if err != nil && !forward {
		return nil, err
	}
	r.unsupported = err
	return r, nil
}

func (r *request) readDockerfile(ctx context.Context) (err error) {
	r.dockerfile, err = r.ui.ReadEntrypoint(ctx, "Dockerfile")
	return err
}

// frontendCaps are the capabilities that a client may require of a frontend.
var frontendCaps = map[string]bool{
	"moby.buildkit.frontend.inputs":         true,
	"moby.buildkit.frontend.subrequests":    true,
	"moby.buildkit.frontend.contexts":       true,
	"moby.buildkit.frontend.gitquerystring": true,
	"moby.buildkit.frontend.contexts.zstd":  true,
}

// checkCaps is an error for the first capability of a list such as
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

// followPaths limits a local folder to some paths and what they link to; no
// paths is all of it.
func followPaths(paths []string) []llb.LocalOption {
	if len(paths) == 0 {
		return nil
	}
	return []llb.LocalOption{llb.FollowPaths(paths)}
}
