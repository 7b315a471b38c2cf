package review

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// layerRules are about layers that hide what earlier layers have.
var layerRules = []Rule{
	{
		ID:       "RewrittenLayer",
		Practice: "No layer changes or removes what an earlier one brought",
		Why:      "Layers only add: files whose owner or mode changes are stored a second time, and files that are removed stay in the image.",
		Mend:     "Give COPY --chown or --chmod, mount what is needed for one RUN only, or remove it in the RUN that brought it.",
		Applies:  func(s *Subject) bool { return slices.ContainsFunc(s.shipped(), (*Step).isRun) },
		Check:    rewrittenLayers,
	},
	{
		ID:       "OnbuildAddition",
		Practice: "ONBUILD triggers work with docker/dockerfile",
		Why:      "The trigger is stored as it is written: whoever builds on this image with docker/dockerfile gets an error from it.",
		Mend:     "Write the trigger without Stagecraft's additions, or say in the image's documentation that it takes Stagecraft.",
		Applies:  func(s *Subject) bool { return slices.ContainsFunc(s.steps(), (*Step).isOnbuild) },
		Check:    onbuildAdditions,
	},
}

func (step *Step) isRun() bool {
	_, ok := step.Command.(*instructions.RunCommand)
	return ok
}

func (step *Step) isOnbuild() bool {
	_, ok := step.Command.(*instructions.OnbuildCommand)
	return ok
}

func rewrittenLayers(s *Subject) []Finding {
	var found []Finding
	all := s.Target.InChain()
	for i, step := range all {
		if step.OnBuild {
			continue
		}
		for _, c := range step.Commands() {
			verb, paths := c.rewrites()
			for _, p := range paths {
				at := slices.IndexFunc(all[:i], func(before *Step) bool { return before.brings(step.abs(p)) })
				if at < 0 || step.mountsOver(step.abs(p)) {
					continue
				}
				before := all[at]
				found = append(found, step.at(fmt.Sprintf("%s %s what line %d brought", c.name, verb, before.Loc.Line())).pointing(c.name+" "))
				break
			}
		}
	}
	return found
}

// rewrites returns the paths that a command changes as a whole, and how.
func (c *command) rewrites() (verb string, paths []string) {
	recursive := slices.ContainsFunc(c.args, func(a string) bool {
		return a == "--recursive" || strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.Contains(strings.ToLower(a), "r")
	})
	rest := c.operands()
	switch {
	case (c.name == "chown" || c.name == "chgrp") && recursive && len(rest) > 1:
		return "stores again", rest[1:]
	case c.name == "chmod" && recursive && len(rest) > 1:
		return "stores again", rest[1:]
	case c.name == "rm":
		return "only hides", rest
	}
	return "", nil
}

// abs returns a path of a RUN from the root, empty where it is not known.
func (step *Step) abs(p string) string {
	run, ok := step.Op.(*plan.Run)
	if !ok || strings.ContainsAny(p, "$`~{") || p == "" {
		return ""
	}
	if slices.ContainsFunc(step.Commands(), func(c command) bool { return c.name == "cd" || c.name == "pushd" }) && !path.IsAbs(p) {
		return ""
	}
	if !path.IsAbs(p) {
		p = path.Join("/", run.Dir, p)
	}
	return path.Clean(p)
}

var wild = regexp.MustCompile(`[*?\[].*$`)

// brings reports whether an instruction copied files to a path or below it.
func (step *Step) brings(p string) bool {
	op := step.copyOf()
	if op == nil || p == "" {
		return false
	}
	if m := wild.FindStringIndex(p); m != nil {
		if p = p[:m[0]]; !strings.HasSuffix(p, "/") || p == "/" {
			return false
		}
		p = strings.TrimSuffix(p, "/")
		return slices.ContainsFunc(places(op), func(q string) bool { return q != p && within(q, p) })
	}
	return slices.ContainsFunc(places(op), func(q string) bool { return within(q, p) })
}

// places returns the paths that a copy writes, as far as they can be told from
// its sources.
func places(op *plan.Copy) []string {
	var all []string
	for _, src := range op.Sources {
		name := ""
		switch src := src.(type) {
		case *plan.Files:
			if len(src.Include) == 0 && path.Base(src.Path) != "/" {
				name = path.Base(src.Path)
			}
		case *plan.Inline:
			name = path.Base(src.Path)
		case *plan.Download:
			name = src.Filename()
		}
		if strings.HasSuffix(op.Dest, "/") && name != "" && !strings.ContainsAny(name, "*?[") {
			all = append(all, path.Join(op.Dest, name))
		} else {
			all = append(all, path.Clean(op.Dest))
		}
	}
	return all
}

// mountsOver reports whether a path is in a mount of a RUN.
func (step *Step) mountsOver(p string) bool {
	c := step.Command.(*instructions.RunCommand)
	return slices.ContainsFunc(instructions.GetMounts(c), func(m *instructions.Mount) bool {
		return m.Target != "" && path.IsAbs(m.Target) && within(p, m.Target)
	})
}

// addition matches what docker/dockerfile does not know in a trigger.
var addition = regexp.MustCompile(`(?i)^\s*(UNSET\s|INCLUDE\s|RUN\s+(--\S+\s+)*--no-cache\b|COPY\s+(--\S+\s+)*--(if-exists|keep-root)\b|WORKDIR\s+(--\S+\s+)*--ch(own|mod)\b)`)

func onbuildAdditions(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.steps() {
		c, ok := step.Command.(*instructions.OnbuildCommand)
		if !ok {
			continue
		}
		if m := addition.FindString(c.Expression); m != "" {
			words := strings.Fields(m)
			found = append(found, step.at(fmt.Sprintf("docker/dockerfile does not know %s", words[len(words)-1])))
		}
	}
	return found
}
