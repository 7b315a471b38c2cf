package lower

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// run is RUN: an exec operation on the filesystem of the stage.
func (l *lowerer) run(fs llb.State, step *plan.Step, op *plan.Run) llb.State {
	opts := []llb.RunOption{
		llb.Args(op.Args),
		instruction(step.Code),
		l.at(step.Loc),
		llb.WithCustomName(step.Progress),
	}
	if l.ignoresCache(step) {
		opts = append(opts, llb.IgnoreCache)
	}
	if step.Fresh && l.canBeFresh() {
		opts = append(opts, llb.ValidExitCodes(freshCodes(l.opt.Build)...))
	}
	if op.Script != nil {
		opts = append(opts, l.script(op.Script))
	}
	opts = append(opts, l.mounts(op)...)
	opts = append(opts, privileges(op)...)
	opts = append(opts, l.devices(op)...)
	opts = append(opts, l.limits()...)
	out := l.environment(fs, op).Run(opts...).Root().Output()
	return withPlatform(llb.NewState(out), op)
}

// environment returns the state in which a program runs: the filesystem and the
// values of the plan, nothing else.
func (l *lowerer) environment(fs llb.State, op *plan.Run) llb.State {
	st := l.variables(op.Env).WithOutput(fs.Output())
	st = withPlatform(st, op).Dir(op.Dir).Network(l.opt.Network)
	if op.User != "" {
		st = st.User(op.User)
	}
	if l.opt.Hostname != "" {
		st = st.Hostname(l.opt.Hostname)
	}
	return st
}

// variables returns a state that has variables and nothing else. What the ones of
// the operation before begin with is used again: most of them are the same.
func (l *lowerer) variables(env []stage.Var) llb.State {
	same := 0
	for same < min(len(env), len(l.env)) && env[same] == l.env[same] {
		same++
	}
	if len(l.envStates) == 0 {
		l.envStates = []llb.State{llb.Scratch()}
	}
	l.envStates = l.envStates[:same+1]
	for _, v := range env[same:] {
		l.envStates = append(l.envStates, l.envStates[len(l.envStates)-1].AddEnv(v.Key, v.Value))
	}
	l.env = env
	return l.envStates[len(env)]
}

func withPlatform(st llb.State, op *plan.Run) llb.State {
	if op.Platform == nil {
		return st
	}
	return st.Platform(*op.Platform)
}

// script mounts a here-document as an executable file.
func (l *lowerer) script(s *plan.Script) llb.RunOption {
	file := llb.Scratch().Dir("/").File(
		llb.Mkfile(s.Name, 0o755, []byte(s.Data)),
		internal("preparing inline document"),
	)
	return llb.AddMount("/dev/pipes/", file, llb.SourcePath("/"), llb.Readonly)
}

// privileges are --security and --network.
func privileges(op *plan.Run) []llb.RunOption {
	security := llb.Security(pb.SecurityMode_SANDBOX)
	if op.Security == instructions.SecurityInsecure {
		security = llb.Security(pb.SecurityMode_INSECURE)
	}
	opts := []llb.RunOption{security}
	switch op.Network {
	case instructions.NetworkNone:
		opts = append(opts, llb.Network(pb.NetMode_NONE))
	case instructions.NetworkHost:
		opts = append(opts, llb.Network(pb.NetMode_HOST))
	}
	return opts
}

// devices returns those that the client gives to all programs, and --device.
func (l *lowerer) devices(op *plan.Run) []llb.RunOption {
	if !l.opt.supports(pb.CapExecMetaCDI) {
		return nil
	}
	var opts []llb.RunOption
	for _, d := range l.opt.Devices {
		opts = append(opts, device(d.Name, d.Optional))
	}
	for _, d := range op.Devices {
		opts = append(opts, device(d.Name, !d.Required))
	}
	return opts
}

func device(name string, optional bool) llb.RunOption {
	opts := []llb.CDIDeviceOption{llb.CDIDeviceName(name)}
	if optional {
		opts = append(opts, llb.CDIDeviceOptional)
	}
	return llb.AddCDIDevice(opts...)
}

// limits returns the settings of the request that every program gets, as far as
// the daemon knows them.
func (l *lowerer) limits() []llb.RunOption {
	o := &l.opt
	var opts []llb.RunOption
	if o.Proxy != nil {
		opts = append(opts, llb.WithProxy(*o.Proxy))
	}
	if o.supports(pb.CapExecMetaUlimit) {
		for _, u := range o.Ulimits {
			opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
		}
	}
	for _, h := range o.ExtraHosts {
		opts = append(opts, llb.AddExtraHost(h.Host, h.IP))
	}
	if o.ShmSize > 0 && o.supports(pb.CapExecMountTmpfsSize) {
		opts = append(opts, llb.AddMount("/dev/shm", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(o.ShmSize))))
	}
	if o.CgroupParent != "" && o.supports(pb.CapExecMetaCgroupParent) {
		opts = append(opts, llb.WithCgroupParent(o.CgroupParent))
	}
	if r := o.Resources; r != nil && o.supports(pb.CapExecMetaLinuxResources) {
		opts = append(opts, llb.WithLinuxResources(llb.LinuxResources{
			Memory:     r.Memory,
			MemorySwap: r.MemorySwap,
			CPUShares:  r.CpuShares,
			CPUPeriod:  r.CpuPeriod,
			CPUQuota:   r.CpuQuota,
			CpusetCpus: r.CpusetCpus,
			CpusetMems: r.CpusetMems,
		}))
	}
	return opts
}
