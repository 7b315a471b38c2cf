package review

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// copyRules are about what goes from stage to stage, and who waits for whom.
var copyRules = []Rule{
	{
		ID:       "BroadCopy",
		Practice: "Copies are as narrow as they can be",
		Why:      "The copy takes the source and everything that compiling left behind along, which the separate stage was there to keep out.",
		Mend:     "Copy the files that the image needs, by their paths.",
		Applies:  (*Subject).several,
		Check:    broadCopies,
	},
	{
		ID:       "ChainedStages",
		Practice: "Independent stages are not chained",
		Why:      "A stage that is built from another waits for it: the two could run at the same time, and a change in one would leave the other cached.",
		Mend:     "Build it from the same base as the other one, or from a stage with what they have in common.",
		Applies:  (*Subject).several,
		Check:    chainedStages,
	},
	{
		ID:       "LinkCopy",
		Practice: "Copies from several stages do not wait for each other",
		Why:      "Each COPY is made on top of the one before: when an earlier stage changes, the later copies are made and pushed again.",
		Mend:     "Add --link, which makes each copy a layer of its own. It does not follow symbolic links in the destination.",
		Applies:  (*Subject).several,
		Check:    linkCopies,
	},
}

// copyOf returns the operation of a COPY or ADD, nil for other instructions.
func (step *Step) copyOf() *plan.Copy {
	op, _ := step.Op.(*plan.Copy)
	return op
}

// sourceDir returns the folder that the source of a stage was copied to: all of the
// build context, or a folder of it; empty where there is none.
func (st *Stage) sourceDir() string {
	for _, step := range st.InChain() {
		op := step.copyOf()
		if op == nil {
			continue
		}
		for _, src := range op.Sources {
			if f, ok := src.(*plan.Files); ok && f.From == stage.None && f.Path == "/" {
				return path.Clean(op.Dest)
			}
		}
	}
	return ""
}

// compiled reports whether a stage makes something that does not need its
// source to run on an image.
func (st *Stage) compiled(on string) bool {
	img, _ := parseImage(on)
	interpreted := slices.Contains([]string{"node", "bun", "deno"}, img.name) || strings.Contains(img.name, "nodejs") || !img.official()
	for _, step := range st.InChain() {
		if slices.ContainsFunc(step.Commands(), func(c command) bool {
			return c.compiles() && !(interpreted && slices.Contains([]string{"npm", "yarn", "pnpm", "bun", "tsc", "mix"}, c.name))
		}) {
			return true
		}
	}
	return false
}

func broadCopies(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.shipped() {
		op := step.copyOf()
		if op == nil {
			continue
		}
		for _, src := range op.Sources {
			f, ok := src.(*plan.Files)
			if !ok || f.From == stage.None || len(f.Include) > 0 {
				continue
			}
			from := s.byID[f.From]
			if from == nil || from.Replaced {
				continue
			}
			dir := from.sourceDir()
			switch {
			case f.Path == "/" && step.Stage.RootImage() != stage.Scratch && from.RootImage() != stage.Scratch && slices.ContainsFunc(from.InChain(), (*Step).isRun):
				found = append(found, step.at(fmt.Sprintf("everything of %s is copied, with the system that it was made on", from.Title())))
			case dir != "" && dir != "/" && within(dir, f.Path) && from.compiled(step.Stage.RootImage()):
				found = append(found, step.at(fmt.Sprintf("%s of %s has its source, which was copied to %s", f.Path, from.Title(), dir)))
			}
		}
	}
	return found
}

// within reports whether a path is a folder or below it.
func within(p, dir string) bool {
	p, dir = path.Clean(p), path.Clean(dir)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// local are programs that work in the folder that they are called in.
var local = set(`npm yarn pnpm bun go cargo mvn mvnw gradle gradlew make dotnet tsc bundle composer mix`)

// chainedStages looks for a stage on another one that worked in a folder of
// its own, of which the first does not take anything.
func chainedStages(s *Subject) []Finding {
	var found []Finding
	for _, st := range s.Stages {
		base := st.BaseStage()
		if base == nil || base.Unit != st.Unit || base.Replaced {
			continue
		}
		dir := base.ownDir()
		if dir == "" || len(st.Steps) == 0 || !st.leaves(dir) {
			continue
		}
		found = append(found, st.at(fmt.Sprintf("%s waits for %s and takes nothing of what that makes in %s", st.Title(), base.Title(), dir)))
	}
	return found
}

// ownDir returns the folder in which a stage does all of its work, some of which
// takes time; empty where it works elsewhere, too.
func (st *Stage) ownDir() string {
	dir, works := "", false
	for _, step := range st.Steps {
		switch c := step.Command.(type) {
		case *instructions.WorkdirCommand:
			if dir != "" || !path.IsAbs(c.Path) || path.Clean(c.Path) == "/" {
				return ""
			}
			dir = path.Clean(c.Path)
		case *instructions.CopyCommand, *instructions.AddCommand:
			op := step.copyOf()
			if dir == "" || op == nil || !within(op.Dest, dir) {
				return ""
			}
		case *instructions.RunCommand:
			works = true
			if dir == "" || len(step.Commands()) == 0 || slices.ContainsFunc(step.Commands(), func(c command) bool {
				return !local[c.name] || c.has("-g", "--global")
			}) {
				return ""
			}
		}
	}
	if !works {
		return ""
	}
	return dir
}

// leaves reports whether a stage goes to another folder first, and never names
// dir or the folder above.
func (st *Stage) leaves(dir string) bool {
	away, works := false, false
	for _, step := range st.Steps {
		text := step.Text()
		if strings.Contains(text, dir) || strings.Contains(text, "../") {
			return false
		}
		switch c := step.Command.(type) {
		case *instructions.WorkdirCommand:
			away = away || path.IsAbs(c.Path) && !within(c.Path, dir) && !within(dir, c.Path)
		case *instructions.CopyCommand, *instructions.AddCommand, *instructions.RunCommand:
			if !away {
				return false
			}
			_, isRun := c.(*instructions.RunCommand)
			works = works || isRun
		}
	}
	return away && works
}

// linkCopies looks for copies from several stages right after each other.
func linkCopies(s *Subject) []Finding {
	var found []Finding
	for _, st := range s.Target.Chain() {
		for _, chain := range st.copyChains() {
			if slices.ContainsFunc(chain, func(step *Step) bool { return !step.linkable() }) {
				continue
			}
			f := chain[0].at(fmt.Sprintf("%d copies from %d stages wait for each other", len(chain), sources(chain)))
			for _, step := range chain {
				f.edits = append(f.edits, step.linked()...)
			}
			found = append(found, f)
		}
	}
	return found
}

// copyChains are runs of at least three COPY --from without --link that take
// files of at least two stages.
func (st *Stage) copyChains() [][]*Step {
	var chains [][]*Step
	var chain []*Step
	end := func() {
		if len(chain) > 2 && sources(chain) > 1 {
			chains = append(chains, chain)
		}
		chain = nil
	}
	for _, step := range st.Steps {
		switch c := step.Command.(type) {
		case *instructions.CopyCommand:
			op := step.copyOf()
			if len(step.Refs) == 1 && op != nil && !op.Link && !step.OnBuild && st.Subject.byID[step.Refs[0].Node] != nil && !named(c.Chown) {
				chain = append(chain, step)
				continue
			}
			end()
		case *instructions.RunCommand, *instructions.AddCommand:
			end()
		}
	}
	end()
	return chains
}

// named reports whether --chown has a name, which --link cannot look up.
func named(chown string) bool { return strings.Trim(chown, "0123456789:") != "" }

// sources counts the stages that some copies take files of.
func sources(chain []*Step) int {
	from := map[stage.ID]bool{}
	for _, step := range chain {
		from[step.Refs[0].Node] = true
	}
	return len(from)
}

// plainDirs are folders that are no symbolic links and that belong to root in
// every image: a copy of its own leaves them as they are.
var plainDirs = []string{"/usr/local", "/usr/share", "/usr/bin", "/usr/sbin", "/opt", "/etc", "/srv"}

// usrMerged are folders of the root that are symbolic links, or that have a
// mode of their own.
var usrMerged = map[string]bool{"/": true, "/bin": true, "/sbin": true, "/lib": true, "/lib64": true, "/tmp": true, "/root": true, "/run": true, "/var": true}

// linkable reports whether --link is sure to give the same files: on scratch,
// or in a folder that is the same everywhere, and to a name that is not taken
// for a folder by one and for a file by the other.
func (step *Step) linkable() bool {
	op := step.copyOf()
	if op.Platform.OS == "windows" {
		return false
	}
	empty := step.Stage.Base == stage.None && step.Stage.Ref == stage.Scratch && !step.Stage.Replaced
	inRoot := path.Dir(path.Clean(op.Dest)) == "/" && !usrMerged[path.Clean(op.Dest)]
	if !empty && !inRoot && !slices.ContainsFunc(plainDirs, func(dir string) bool { return within(op.Dest, dir) }) {
		return false
	}
	if strings.HasSuffix(op.Dest, "/") {
		return true
	}
	f, ok := op.Sources[0].(*plan.Files)
	return ok && len(op.Sources) == 1 && path.Base(f.Path) == path.Base(op.Dest) && !strings.ContainsAny(f.Path, "*?[")
}

// linked returns the edits that add --link to a COPY.
func (step *Step) linked() []edit {
	first, _ := span(step.Loc.Ranges)
	keyword, rest, ok := strings.Cut(step.source()[0], " ")
	if !ok || !strings.EqualFold(keyword, "copy") {
		return nil
	}
	return []edit{{step.Loc.File, first, first, []string{strings.TrimSuffix(keyword+" --link "+rest, "\r")}}}
}
