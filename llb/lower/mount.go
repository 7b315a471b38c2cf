package lower

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// mounts are RUN --mount of all types.
func (l *lowerer) mounts(op *plan.Run) []llb.RunOption {
	var opts []llb.RunOption
	for i := range op.Mounts {
		opts = append(opts, l.mount(&op.Mounts[i]))
	}
	for _, s := range op.Secrets {
		opts = append(opts, secret(s))
	}
	for _, s := range op.SSH {
		opts = append(opts, ssh(s))
	}
	return opts
}

func (l *lowerer) mount(m *plan.Mount) llb.RunOption {
	fs := l.source(m.From, m.Context)
	var opts []llb.MountOption
	if m.Kind == plan.TmpfsMount {
		fs = llb.Scratch()
		opts = append(opts, llb.Tmpfs(llb.TmpfsSize(m.Size)))
	}
	switch {
	case m.ReadOnly:
		opts = append(opts, llb.Readonly)
	case m.Kind == plan.BindMount && l.opt.supports(pb.CapExecMountBindReadWriteNoOutput):
		opts = append(opts, llb.ForceNoOutput) // what is written there is dropped
	}
	if m.Kind == plan.CacheMount {
		opts = append(opts, llb.AsPersistentCacheDir(m.CacheID, sharing(m.Sharing)))
	}
	switch {
	case m.Path != "/":
		opts = append(opts, llb.SourcePath(m.Path))
	case m.Owner != nil:
		// The owner belongs to a directory that is made for it.
		const dir = "/cache"
		fs = fs.File(
			llb.Mkdir(dir, m.Owner.Mode, llb.WithUIDGID(m.Owner.UID, m.Owner.GID)),
			internal("setting cache mount permissions"),
		)
		opts = append(opts, llb.SourcePath(dir))
	}
	return llb.AddMount(m.Target, fs, opts...)
}

func sharing(mode instructions.ShareMode) llb.CacheMountSharingMode {
	switch mode {
	case instructions.MountSharingPrivate:
		return llb.CacheMountPrivate
	case instructions.MountSharingLocked:
		return llb.CacheMountLocked
	default:
		return llb.CacheMountShared
	}
}

func secret(s plan.Secret) llb.RunOption {
	opts := []llb.SecretOption{llb.SecretID(s.ID)}
	if !s.Required {
		opts = append(opts, llb.SecretOptional)
	}
	if s.Env != nil {
		opts = append(opts, llb.SecretAsEnvName(*s.Env))
	}
	if o := s.Owner; o != nil {
		opts = append(opts, llb.SecretFileOpt(o.UID, o.GID, int(o.Mode)))
	}
	return llb.AddSecretWithDest(s.ID, s.Target, opts...)
}

func ssh(s plan.SSH) llb.RunOption {
	opts := []llb.SSHOption{llb.SSHID(s.ID)}
	if s.Target != "" {
		opts = append(opts, llb.SSHSocketTarget(s.Target))
	}
	if !s.Required {
		opts = append(opts, llb.SSHOptional)
	}
	if o := s.Owner; o != nil {
		opts = append(opts, llb.SSHSocketOpt(s.Target, o.UID, o.GID, int(o.Mode)))
	}
	return llb.AddSSHSocket(opts...)
}
