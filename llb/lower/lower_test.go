package lower

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// exec is the operation that a RUN becomes on an empty filesystem.
func exec(t *testing.T, l *lowerer, op *plan.Run) *pb.ExecOp {
	t.Helper()
	op.Args = []string{"x"}
	op.Platform = &ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	st := l.run(llb.Scratch(), &plan.Step{Progress: "RUN x"}, op)
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, dt := range def.Def {
		var o pb.Op
		if err := o.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		if e := o.GetExec(); e != nil {
			return e
		}
	}
	t.Fatal("no exec operation")
	return nil
}

func TestRunEnvironment(t *testing.T) {
	l := &lowerer{opt: Options{Hostname: "h", Network: pb.NetMode_HOST, ExtraHosts: []llb.HostIP{{Host: "db"}}}}
	e := exec(t, l, &plan.Run{Dir: "/w", User: "me"})
	if m := e.Meta; m.Cwd != "/w" || m.User != "me" || m.Hostname != "h" || len(m.ExtraHosts) != 1 {
		t.Errorf("%v", m)
	}
	if e.Network != pb.NetMode_HOST {
		t.Errorf("network %v", e.Network)
	}
	if e := exec(t, l, &plan.Run{Dir: "/", Network: instructions.NetworkNone}); e.Network != pb.NetMode_NONE {
		t.Errorf("the instruction's network does not win: %v", e.Network)
	}
}

func TestSecurity(t *testing.T) {
	l := &lowerer{}
	if e := exec(t, l, &plan.Run{Dir: "/", Security: instructions.SecurityInsecure}); e.Security != pb.SecurityMode_INSECURE {
		t.Errorf("%v", e.Security)
	}
	if e := exec(t, l, &plan.Run{Dir: "/", Security: instructions.SecuritySandbox}); e.Security != pb.SecurityMode_SANDBOX {
		t.Errorf("%v", e.Security)
	}
}

// What a daemon cannot do is left out of operations, for it would refuse them.
func TestLimitsNeedCapabilities(t *testing.T) {
	opt := Options{Ulimits: []*pb.Ulimit{{Name: "nofile", Soft: 1, Hard: 2}}, ShmSize: 1, CgroupParent: "g"}
	old := exec(t, &lowerer{opt: opt}, &plan.Run{Dir: "/"})
	if m := old.Meta; len(m.Ulimit) > 0 || m.CgroupParent != "" || len(old.Mounts) != 1 {
		t.Errorf("an unknown daemon gets %v", old)
	}
	caps := pb.Caps.CapSet(pb.Caps.All())
	opt.Caps = &caps
	young := exec(t, &lowerer{opt: opt}, &plan.Run{Dir: "/"})
	if m := young.Meta; len(m.Ulimit) != 1 || m.CgroupParent != "g" || len(young.Mounts) != 2 {
		t.Errorf("a young daemon gets %v", young)
	}
}

func TestMounts(t *testing.T) {
	target, env := "/run/secrets/t", "TOKEN"
	e := exec(t, &lowerer{}, &plan.Run{
		Dir: "/",
		Mounts: []plan.Mount{
			{Kind: plan.CacheMount, Target: "/c", Path: "/", CacheID: "/c", Sharing: instructions.MountSharingLocked},
			{Kind: plan.TmpfsMount, Target: "/t", Path: "/", Size: 5},
		},
		Secrets: []plan.Secret{{ID: "t", Target: &target, Required: true}, {ID: "e", Env: &env}},
		SSH:     []plan.SSH{{ID: "s"}},
	})
	for _, m := range e.Mounts {
		switch m.MountType {
		case pb.MountType_CACHE:
			if m.CacheOpt.ID != "/c" || m.CacheOpt.Sharing != pb.CacheSharingOpt_LOCKED {
				t.Errorf("cache %v", m)
			}
		case pb.MountType_TMPFS:
			if m.TmpfsOpt.Size != 5 {
				t.Errorf("tmpfs %v", m)
			}
		case pb.MountType_SECRET:
			if m.Dest != target || m.SecretOpt.Optional {
				t.Errorf("secret %v", m)
			}
		case pb.MountType_SSH:
			if m.SSHOpt.ID != "s" || !m.SSHOpt.Optional {
				t.Errorf("ssh %v", m)
			}
		}
	}
	if len(e.Mounts) != 5 || len(e.Secretenv) != 1 || e.Secretenv[0].Name != env || !e.Secretenv[0].Optional {
		t.Errorf("%d mounts, %v", len(e.Mounts), e.Secretenv)
	}
}

func TestChmod(t *testing.T) {
	if chmod(nil) != nil {
		t.Error("no flag has a mode")
	}
	if c := chmod(&plan.Chmod{Mode: 0o640}); c.Mode != 0o640 || c.ModeStr != "" {
		t.Errorf("%+v", c)
	}
	if c := chmod(&plan.Chmod{Symbolic: "u+x"}); c.ModeStr != "u+x" {
		t.Errorf("%+v", c)
	}
}

func TestRanges(t *testing.T) {
	got := Ranges([]parser.Range{{Start: parser.Position{Line: 3, Character: 1}, End: parser.Position{Line: 4, Character: 2}}})
	if len(got) != 1 || got[0].Start.Line != 3 || got[0].Start.Character != 1 || got[0].End.Line != 4 || got[0].End.Character != 2 {
		t.Errorf("%v", got)
	}
}
