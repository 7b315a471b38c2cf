package lower

import (
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// requires is a located error for the first step of the target that takes what
// the daemon is too old for, nil where it can do all. There are two kinds:
//
//   - what BuildKit's client library refuses to send, by the name of a
//     capability only and without a place;
//   - what would be sent and skipped, because a daemon skips the fields of an
//     operation that it does not know: what is excluded would be copied. No
//     client sends the capabilities of file operations, and devices are left
//     out where they are unknown.
//
// What there is another way for is no need: --link copies as without it, and
// the limits of a build (ulimits, size of /dev/shm, memory) do not change what
// is built. What each capability is for, and what comes of it where it lacks,
// is the table in frontend/capabilities_test.go.
func (l *lowerer) requires() error {
	if l.opt.Caps == nil {
		return nil
	}
	for _, s := range l.plan.Stages {
		if !s.Needed {
			continue
		}
		if err := l.missing(l.baseNeeds(s), s.Loc); err != nil {
			return err
		}
		for i := range s.Steps {
			if err := l.missing(l.needs(&s.Steps[i]), s.Steps[i].Loc); err != nil {
				return err
			}
		}
	}
	return nil
}

// missing is the error for the first need that the daemon does not meet.
func (l *lowerer) missing(needs []need, loc dockerfile.Loc) error {
	for _, n := range needs {
		sign := n.capability
		if s, ok := signs[sign]; ok {
			sign = s
		}
		if l.opt.supports(sign) {
			continue
		}
		where := ""
		if len(loc.Ranges) > 0 {
			// The clients of such daemons show no source.
			where = fmt.Sprintf("line %d: ", loc.Ranges[0].Start.Line)
		}
		version := "a newer BuildKit"
		if since, ok := releases[n.capability]; ok {
			version = "BuildKit " + since + " or newer"
		}
		return dockerfile.At(errors.Errorf("%s%s requires %s: this daemon does not support it (missing capability %s); upgrade Docker or BuildKit, or remove it",
			where, n.feature, version, n.capability), loc)
	}
	return nil
}

// need is what the user writes, as he writes it, and the capability that it
// takes.
type need struct {
	feature    string
	capability apicaps.CapID
}

// signs are capabilities that stand for another one: no daemon says that it
// has file.copy.modestring, the youngest ones do not either. It came in the
// same release as the sign.
var signs = map[apicaps.CapID]apicaps.CapID{
	pb.CapFileCopyModeStringFormat: pb.CapExecValidExitCode,
}

// releases are the versions of BuildKit that brought a capability. All others
// are in the oldest daemons that a frontend of today runs on.
var releases = map[apicaps.CapID]string{
	pb.CapFileCopyIncludeExcludePatterns: "0.9",
	pb.CapSourceGitSubdir:                "0.9",
	pb.CapExecMountTmpfsSize:             "0.10",
	pb.CapExecSecretEnv:                  "0.10",
	pb.CapFileCopyModeStringFormat:       "0.17",
	pb.CapExecMetaCDI:                    "0.20",
	pb.CapSourceGitChecksum:              "0.22",
	pb.CapSourceGitSkipSubmodules:        "0.24",
	pb.CapSourceGitFetchByCommit:         "0.30",
}

func (l *lowerer) baseNeeds(s *plan.Stage) []need {
	b := s.Base
	if b == nil || b.Context != nil || b.Ref == "" {
		return nil
	}
	from := s.From
	if from == "" { // an image to copy from, or to mount
		from = "the image " + b.Ref
	}
	needs := []need{{from, pb.CapSourceImage}}
	if l.opt.ResolveMode == llb.ResolveModeForcePull {
		needs = append(needs, need{"--pull", pb.CapSourceImageResolveMode})
	}
	return needs
}

func (l *lowerer) needs(step *plan.Step) []need {
	var needs []need
	if l.ignoresCache(step) {
		needs = append(needs, need{"--no-cache", pb.CapMetaIgnoreCache})
	}
	switch op := step.Op.(type) {
	case *plan.Copy:
		return append(needs, copyNeeds(op)...)
	case *plan.Run:
		return append(needs, l.runNeeds(op)...)
	}
	return needs
}

func copyNeeds(op *plan.Copy) []need {
	var needs []need
	if len(op.Excludes) > 0 {
		needs = append(needs, need{"--exclude", pb.CapFileCopyIncludeExcludePatterns})
	}
	if op.KeepRoot {
		needs = append(needs, need{"--keep-root", pb.CapFileCopyIncludeExcludePatterns})
	}
	if op.Chmod != nil && op.Chmod.Symbolic != "" {
		needs = append(needs, need{"--chmod=" + op.Chmod.Symbolic, pb.CapFileCopyModeStringFormat})
	}
	for _, src := range op.Sources {
		switch src := src.(type) {
		case *plan.Files:
			if len(src.Include) > 0 {
				needs = append(needs, need{"--parents", pb.CapFileCopyIncludeExcludePatterns})
			}
		case *plan.Download:
			needs = append(needs, need{"ADD " + src.URL, pb.CapSourceHTTP})
			if src.Checksum != "" {
				needs = append(needs, need{"--checksum", pb.CapSourceHTTPChecksum})
			}
		case *plan.Checkout:
			needs = append(needs, checkoutNeeds(src)...)
		}
	}
	return needs
}

func checkoutNeeds(src *plan.Checkout) []need {
	add := "ADD " + src.URL
	needs := []need{{add, pb.CapSourceGit}, {add, pb.CapSourceGitFullURL}}
	if u, err := gitutil.ParseURL(src.URL); err == nil && u.Scheme == gitutil.SSHProtocol {
		needs = append(needs, need{add, pb.CapSourceGitKnownSSHHosts}, need{add, pb.CapSourceGitMountSSHSock})
	}
	if dir := strings.Trim(path.Clean("/"+src.Git.SubDir), "/"); dir != "" {
		// A daemon without it says only that it has no folders yet.
		needs = append(needs, need{"the folder " + dir + " of a Git repository", pb.CapSourceGitSubdir})
	}
	if src.Git.KeepDir != nil && *src.Git.KeepDir {
		needs = append(needs, need{"--keep-git-dir", pb.CapSourceGitKeepDir})
	}
	if src.Git.FetchByCommit {
		needs = append(needs, need{"?fetch-by-commit=true", pb.CapSourceGitFetchByCommit})
	}
	if src.Checksum != "" {
		needs = append(needs, need{"--checksum or ?commit= of a Git repository", pb.CapSourceGitChecksum})
	}
	if src.Git.SkipSubmodules {
		needs = append(needs, need{"?submodules=false", pb.CapSourceGitSkipSubmodules})
	}
	return needs
}

func (l *lowerer) runNeeds(op *plan.Run) []need {
	needs := []need{{"RUN", pb.CapExecMetaBase}}
	switch {
	case op.Network == instructions.NetworkNone || op.Network == instructions.NetworkHost:
		needs = append(needs, need{"--network=" + op.Network, pb.CapExecMetaNetwork})
	case l.opt.Network != pb.NetMode_UNSET:
		needs = append(needs, need{"--network=" + strings.ToLower(l.opt.Network.String()) + " of the build", pb.CapExecMetaNetwork})
	}
	if op.Security == instructions.SecurityInsecure {
		needs = append(needs, need{"--security=insecure", pb.CapExecMetaSecurity})
	}
	if l.opt.Proxy != nil {
		needs = append(needs, need{"a proxy as build argument", pb.CapExecMetaProxy})
	}
	for _, d := range op.Devices {
		if d.Required { // others may be missing
			needs = append(needs, need{"--device=" + d.Name + ",required", pb.CapExecMetaCDI})
		}
	}
	if op.Script != nil {
		needs = append(needs, need{"a here-document that begins with #!", pb.CapExecMountSelector})
	}
	return append(needs, mountNeeds(op)...)
}

func mountNeeds(op *plan.Run) []need {
	var needs []need
	for _, m := range op.Mounts {
		flag := "--mount=type=" + string(m.Kind)
		switch m.Kind {
		case plan.BindMount:
			needs = append(needs, need{flag, pb.CapExecMountBind})
		case plan.CacheMount:
			needs = append(needs, need{flag, pb.CapExecMountCache}, need{flag, pb.CapExecMountCacheSharing})
		case plan.TmpfsMount:
			needs = append(needs, need{flag, pb.CapExecMountTmpfs})
			if m.Size > 0 {
				needs = append(needs, need{flag + ",size=", pb.CapExecMountTmpfsSize})
			}
		}
		if m.Path != "/" {
			needs = append(needs, need{flag + ",source=" + m.Path, pb.CapExecMountSelector})
		} else if m.Owner != nil {
			needs = append(needs, need{flag + " with an owner or a mode", pb.CapExecMountSelector})
		}
	}
	for _, s := range op.Secrets {
		needs = append(needs, need{"--mount=type=secret", pb.CapExecMountSecret})
		if s.Env != nil {
			needs = append(needs, need{"--mount=type=secret,env=", pb.CapExecSecretEnv})
		}
	}
	if len(op.SSH) > 0 {
		needs = append(needs, need{"--mount=type=ssh", pb.CapExecMountSSH})
	}
	return needs
}
