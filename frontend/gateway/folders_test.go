package gateway

import (
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// A gate and the target number the files that they read in an order of their own: what they take from one folder
// is one transfer all the same.
func TestFolderOfAnyCompilation(t *testing.T) {
	one := stage.Context{Dir: "svc", Ignore: "svc/Dockerfile.dockerignore", Loc: dockerfile.Loc{File: 0, Ranges: []parser.Range{{}}}}
	other := one
	other.Loc.File = 3
	if folderOf(one) != folderOf(other) {
		t.Errorf("%s and %s", folderOf(one), folderOf(other))
	}
	for _, different := range []stage.Context{
		{Dir: "svc"}, {Named: "svc", Ignore: one.Ignore}, {Dir: "svc/x", Ignore: one.Ignore}, {Dir: "svc", Ignore: one.Ignore, IgnoreRoot: 1},
	} {
		if folderOf(one) == folderOf(different) {
			t.Errorf("%+v counts as %+v", different, one)
		}
	}
}
