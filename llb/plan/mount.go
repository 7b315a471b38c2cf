package plan

import (
	"io/fs"
	"path"
	"path/filepath"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/system"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// mounts evaluates RUN --mount in the order of the flags.
func (e *stageEval) mounts(op *Run, in *stage.Instruction, c *instructions.RunCommand) error {
	for i, m := range instructions.GetMounts(c) {
		var err error
		switch m.Type {
		case instructions.MountTypeSecret:
			err = e.secret(op, m, in.Loc)
		case instructions.MountTypeSSH:
			err = e.ssh(op, m, in.Loc)
		default:
			err = e.mount(op, m, in.Refs[i].Node)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mount is a bind, cache or tmpfs mount.
func (e *stageEval) mount(op *Run, m *instructions.Mount, source stage.ID) error {
	mnt := Mount{
		Kind:     MountKind(m.Type),
		From:     stage.None,
		Context:  e.unit.Context,
		Path:     path.Join("/", m.Source),
		ReadOnly: m.ReadOnly,
		Size:     m.SizeLimit,
	}
	if m.From != "" || m.Type == instructions.MountTypeCache {
		mnt.From = source
	}
	if m.Type == instructions.MountTypeCache {
		id := m.CacheID
		if id == "" {
			id = path.Clean(m.Target)
		}
		mnt.CacheID = e.opt.CacheNamespace + "/" + id
		mnt.Sharing = m.CacheSharing
	}
	if mnt.Target = m.Target; !system.IsAbsolutePath(filepath.Clean(m.Target)) {
		mnt.Target = filepath.Join("/", e.dir, m.Target)
	}
	if mnt.Target == "/" {
		return errors.Errorf("invalid mount target %q", mnt.Target)
	}
	if mnt.Path == "/" && (m.UID != nil || m.GID != nil || m.Mode != nil) {
		mnt.Owner = owner(m, 0o755)
	}
	if mnt.From != stage.None && !e.isThere(mnt.From) {
		return errors.Errorf("cannot mount to %q from a stage %q that stands below: a cache mount without from starts as the stage of that name", mnt.Target, stage.Scratch)
	}
	op.Mounts = append(op.Mounts, mnt)
	e.readOf(mnt.From, m.Source)
	return nil
}

// owner returns what a mount says of its owner; mode is the default one.
func owner(m *instructions.Mount, mode fs.FileMode) *Owner {
	o := &Owner{Mode: mode}
	if m.UID != nil {
		o.UID = int(*m.UID)
	}
	if m.GID != nil {
		o.GID = int(*m.GID)
	}
	if m.Mode != nil {
		o.Mode = fs.FileMode(*m.Mode)
	}
	return o
}

func hasOwner(m *instructions.Mount) bool {
	return m.UID != nil || m.GID != nil || m.Mode != nil
}

// secret is a secret of the client. Its id is the source, else the last
// element of the target; it is a file in /run/secrets unless told otherwise.
func (e *stageEval) secret(op *Run, m *instructions.Mount, loc dockerfile.Loc) error {
	windows := e.out.Platform.OS == "windows"
	target := m.Target
	if windows {
		target = system.ToSlash(target, "windows")
	}
	id := m.CacheID
	if m.Source != "" {
		id = m.Source
	}
	if id == "" {
		if target == "" {
			return errors.New("one of source, target required")
		}
		id = path.Base(target)
	}
	if windows && target != "" && !system.IsAbs(target, "windows") {
		return errors.Errorf("secret target %q must be an absolute path with forward slashes on Windows, e.g. --mount=type=secret,id=%s,target=C:/path/to/secret", target, id)
	}
	s := Secret{ID: id, Env: m.Env, Required: m.Required}
	if target == "" && m.Env == nil {
		if windows { // which has no folder for secrets
			return errors.Errorf("secret target is required on Windows, e.g. --mount=type=secret,id=%s,target=C:/path/to/secret", id)
		}
		target = "/run/secrets/" + path.Base(id)
	}
	if target != "" {
		s.Target = &target
	}
	if hasOwner(m) {
		s.Owner = owner(m, 0o400)
	}
	e.out.Asks.addSecret(id, Need{m.Required, loc})
	op.Secrets = append(op.Secrets, s)
	return nil
}

// ssh is the agent or key of the client; without an id the default one.
func (e *stageEval) ssh(op *Run, m *instructions.Mount, loc dockerfile.Loc) error {
	if m.Source != "" {
		return errors.New("ssh does not support source")
	}
	s := SSH{ID: m.CacheID, Target: m.Target, Required: m.Required}
	if hasOwner(m) {
		s.Owner = owner(m, 0o600)
	}
	name := m.CacheID
	if name == "" {
		name = "default"
	}
	e.out.Asks.addSSH(name, Need{m.Required, loc})
	op.SSH = append(op.SSH, s)
	return nil
}
