package frontend

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/gateway"
)

// options are the names of the build arguments that are for the frontend and
// not for the build: NAME for --build-arg STAGECRAFT_NAME=VALUE. Each comes
// with what reads it.
var options = []string{
	optionCheck,
	"REVIEW",
	sizeMax,
	sizeBefore,
	optionSummary,
	digestsBefore,
	"FLATTEN",
	cacheGates,
	optionLock,
}

const optionPrefix = "build-arg:STAGECRAFT_"

// takeOptions takes the frontend's options out of the build options, so that
// they are no arguments of the Dockerfile, and returns their values by name.
func takeOptions(c client.Client) (client.Client, map[string]string) {
	taken := map[string]string{}
	rest := maps.Clone(c.BuildOpts().Opts)
	for _, name := range options {
		if value, given := rest[optionPrefix+name]; given {
			taken[name] = value
			delete(rest, optionPrefix+name)
		}
	}
	if len(taken) == 0 {
		return c, nil
	}
	return gateway.WithOpts(c, rest), taken
}

// option returns the value of --build-arg STAGECRAFT_NAME=VALUE, empty where
// the client gave none.
func (r *request) option(name string) string { return r.options[name] }

// checkOptions returns an error for a build argument that has the name of an
// option and is none, unless the Dockerfile has the name, too: then it is an
// argument. A misspelled option must not go unnoticed.
func (r *request) checkOptions() error {
	for _, key := range slices.Sorted(maps.Keys(r.UI.BuildOpts().Opts)) {
		name, ok := strings.CutPrefix(key, "build-arg:")
		if !ok || !strings.HasPrefix(key, optionPrefix) || bytes.Contains(r.Dockerfile.Data, []byte(name)) {
			continue
		}
		known := "there are none"
		if len(options) > 0 {
			known = "there are STAGECRAFT_" + strings.Join(slices.Sorted(slices.Values(options)), ", STAGECRAFT_")
		}
		return errors.Errorf("--build-arg %s: this version of Stagecraft has no such option, and the Dockerfile has no such argument; %s", name, known)
	}
	return nil
}
