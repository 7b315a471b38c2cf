package lower

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	capspb "github.com/moby/buildkit/util/apicaps/pb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// A daemon that lacks what an instruction needs would build another image, or refuse it by a name that the
// user did not write; one that has it, and one of which nothing is known, are not bothered. Every capability
// and what comes of it is in frontend/capabilities_test.go.
func TestRequires(t *testing.T) {
	env := "TOKEN"
	for _, test := range []struct {
		step plan.Step
		cap  apicaps.CapID
		want string
	}{
		{plan.Step{Op: &plan.Copy{Excludes: []string{"a"}}}, pb.CapFileCopyIncludeExcludePatterns, "line 7: --exclude requires BuildKit 0.9 or newer: this daemon does not support it (missing capability file.copy.includeexcludepatterns); upgrade Docker or BuildKit, or remove it"},
		{plan.Step{Op: &plan.Copy{Sources: []plan.CopySource{&plan.Files{Include: []string{"a"}}}}}, pb.CapFileCopyIncludeExcludePatterns, "line 7: --parents requires"},
		{plan.Step{Op: &plan.Copy{Chmod: &plan.Chmod{Symbolic: "u+x"}}}, pb.CapExecValidExitCode, "line 7: --chmod=u+x requires BuildKit 0.17 or newer: this daemon does not support it (missing capability file.copy.modestring)"},
		{plan.Step{Op: &plan.Run{Secrets: []plan.Secret{{Env: &env}}}}, pb.CapExecSecretEnv, "line 7: --mount=type=secret,env= requires"},
		{plan.Step{Op: &plan.Mkdir{}, IgnoreCache: true}, pb.CapMetaIgnoreCache, "line 7: --no-cache requires a newer BuildKit: this daemon does not support it (missing capability meta.ignorecache)"},
		{plan.Step{Op: &plan.Copy{Link: true, Chmod: &plan.Chmod{}}}, pb.CapMergeOp, ""},
		{plan.Step{Op: &plan.Run{Secrets: []plan.Secret{{ID: "x"}}}}, pb.CapExecSecretEnv, ""},
		{plan.Step{}, pb.CapExecSecretEnv, ""},
	} {
		loc := dockerfile.Loc{Ranges: []parser.Range{{Start: parser.Position{Line: 7}}}}
		missing := func(caps []*capspb.APICap) error {
			set := pb.Caps.CapSet(caps)
			l := &lowerer{opt: Options{Caps: &set}}
			return l.missing(l.needs(&test.step), loc)
		}
		if err := missing(pb.Caps.All()); err != nil {
			t.Errorf("%T: %v", test.step.Op, err)
		}
		err := missing(slices.DeleteFunc(pb.Caps.All(), func(c *capspb.APICap) bool { return c.ID == string(test.cap) }))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%T without %s: %v, want %q", test.step.Op, test.cap, err, test.want)
		}
	}
	if err := (&lowerer{}).requires(); err != nil {
		t.Errorf("a daemon of which nothing is known: %v", err)
	}
}
