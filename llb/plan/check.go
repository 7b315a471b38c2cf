package plan

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/stagecraft/stagecraft/llb/stage"
)

// Check reports what is wrong with a plan that any plan must get right: each
// stage stands behind what it needs, each operation has a progress name and a
// place in the file, paths are absolute where they must be, and the history
// tells of every step.
func (p *Plan) Check() error {
	if p.Target() == nil {
		return errors.New("the target is not planned")
	}
	seen := map[stage.ID]bool{}
	for _, s := range p.Stages {
		if seen[s.ID] {
			return fmt.Errorf("stage %d is planned twice", s.ID)
		}
		if err := p.checkStage(s, seen); err != nil {
			return fmt.Errorf("stage %d: %w", s.ID, err)
		}
		seen[s.ID] = true
	}
	if p.Graph != nil {
		for id := range p.Graph.Reach(p.TargetID) {
			if !seen[id] {
				return fmt.Errorf("stage %d is needed and not planned", id)
			}
		}
	}
	for src, paths := range p.Paths {
		if !slices.IsSorted(paths) {
			return fmt.Errorf("paths of %v are not sorted: %v", src, paths)
		}
		if slices.ContainsFunc(paths, path.IsAbs) {
			return fmt.Errorf("a path of %v is not relative: %v", src, paths)
		}
	}
	return nil
}

func (p *Plan) checkStage(s *Stage, behind map[stage.ID]bool) error {
	if s.Base == nil && !behind[s.Parent] {
		return errors.New("stands before its base")
	}
	if s.Node != nil && s.Node.Kind == stage.Stage && !s.Node.Replaced {
		if len(s.Steps) != len(s.Node.Steps) {
			return fmt.Errorf("%d steps for %d instructions", len(s.Steps), len(s.Node.Steps))
		}
		if s.Platform.OS == "" {
			return errors.New("no platform")
		}
	}
	if layers, history := layersOf(s), p.historyOf(s); layers != history {
		return fmt.Errorf("%d steps that change files, %d in the history", layers, history)
	}
	for i := range s.Steps {
		// A trigger may refer to its own stage.
		reachable := func(id stage.ID) bool { return id == stage.None || id == s.ID || behind[id] }
		if err := checkStep(&s.Steps[i], s.Platform.OS, reachable); err != nil {
			return fmt.Errorf("step %d (%s): %w", i, s.Steps[i].Code, err)
		}
	}
	return nil
}

// layersOf counts the steps of a stage that change files.
func layersOf(s *Stage) int {
	n := 0
	if s.Squash != nil {
		n++
	}
	for i := range s.Steps {
		if s.Steps[i].Op != nil {
			n++
		}
	}
	return n
}

// historyOf counts the layers that the history of a stage tells of, above
// those of its base.
func (p *Plan) historyOf(s *Stage) int {
	base := 0
	if b := p.byID[s.Parent]; b != nil {
		base = len(b.Image.History)
	} else if s.Base != nil {
		base = len(s.Base.Image.History)
	}
	n := 0
	for _, h := range s.Image.History[min(base, len(s.Image.History)):] {
		if !h.EmptyLayer {
			n++
		}
	}
	return n
}

func checkStep(s *Step, os string, reachable func(stage.ID) bool) error {
	if s.Loc.Line() == 0 {
		return errors.New("no location")
	}
	if s.Op == nil {
		return nil
	}
	if s.Progress == "" {
		return errors.New("no progress name")
	}
	switch op := s.Op.(type) {
	case *Run:
		return checkRun(op, os, reachable)
	case *Copy:
		return checkCopy(op, os, reachable)
	case *Mkdir:
		return checkAbs(os, "directory", op.Path)
	default:
		return fmt.Errorf("unknown operation %T", op)
	}
}

// checkAbs wants an absolute path. Windows paths may have a drive.
func checkAbs(os, what, p string) error {
	if os != "windows" && !path.IsAbs(p) {
		return fmt.Errorf("%s %q is not absolute", what, p)
	}
	return nil
}

func checkRun(op *Run, os string, reachable func(stage.ID) bool) error {
	if err := checkAbs(os, "working directory", op.Dir); err != nil {
		return err
	}
	for _, m := range op.Mounts {
		if !reachable(m.From) {
			return fmt.Errorf("mount from stage %d, which stands behind", m.From)
		}
		if !path.IsAbs(m.Path) {
			return fmt.Errorf("mounted path %q is not absolute", m.Path)
		}
		if err := checkAbs(os, "mount target", m.Target); err != nil {
			return err
		}
	}
	return nil
}

func checkCopy(op *Copy, os string, reachable func(stage.ID) bool) error {
	if len(op.Sources) == 0 {
		return errors.New("copies nothing")
	}
	if op.LinkProgress == "" {
		return errors.New("no progress name for the link")
	}
	for _, src := range op.Sources {
		files, ok := src.(*Files)
		if !ok {
			continue
		}
		if !reachable(files.From) {
			return fmt.Errorf("copy from stage %d, which stands behind", files.From)
		}
		if err := checkAbs(os, "source", files.Path); err != nil {
			return err
		}
	}
	return checkAbs(os, "destination", op.Dest)
}
