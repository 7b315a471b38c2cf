package review

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// stageRules are about what stages are called, and how they find each other.
var stageRules = []Rule{
	{
		ID:       "UnnamedStage",
		Practice: "Stages have names",
		Why:      "A stage without a name can only be referred to by its number, which changes when a stage is added above it.",
		Mend:     "Give the stage a name with AS, and use the name wherever the stage is meant.",
		Applies:  (*Subject).several,
		Check:    unnamedStages,
	},
	{
		ID:        "NumericFrom",
		Practice:  "Stages are referred to by their names",
		Why:       "A number counts the FROMs above: with one more of them, the copy silently takes its files from another stage.",
		Mend:      "Write the name of the stage in --from; give it one with AS where it has none.",
		Unchanged: true,
		Applies:   (*Subject).several,
		Check:     numericFroms,
	},
	{
		ID:       "MisspeltStage",
		Practice: "References mean a stage or an image that exists",
		Why:      "A name that is no stage is taken for an image: at best the build fails, at worst it takes the files of a stranger's image.",
		Mend:     "Write the name of the stage as its FROM has it.",
		Applies:  (*Subject).several,
		Check:    misspeltStages,
	},
	{
		ID:       "LaterStage",
		Practice: "FROM names a stage that stands above",
		Why:      "FROM sees only the stages above it; the name of a later one means an image of that name, from a registry.",
		Mend:     "Move the stage that is meant above the one that is built from it.",
		Applies:  (*Subject).several,
		Check:    laterStages,
	},
	{
		ID:        "PlatformOnStage",
		Practice:  "--platform stands on images only",
		Why:       "A stage that is built from another stage has the platform of that stage: the flag has no effect, and misleads whoever reads it.",
		Mend:      "Remove the flag, or put it on the FROM of the image that the stage goes back to.",
		Unchanged: true,
		Silent:    []string{"FromPlatformFlagConstDisallowed", "RedundantTargetPlatform"},
		Applies:   (*Subject).several,
		Check:     platformsOnStages,
	},
	{
		ID:       "UnreachableStage",
		Practice: "Every stage can be built",
		Why:      "Nothing refers to the stage and it has no name to build it by: its instructions are never carried out.",
		Mend:     "Remove the stage, or give it a name with AS and build it with --target.",
		Silent:   []string{"DuplicateStageName"},
		Applies:  (*Subject).several,
		Check:    unreachableStages,
	},
	{
		ID:       "StageCycle",
		Practice: "No stage needs itself",
		Why:      "Stages that need each other can never be built; a build reports it only for the stages that its target needs.",
		Mend:     "Move what the stages need of each other into a stage of its own.",
		Applies:  (*Subject).several,
		Check:    stageCycles,
	},
}

// last is the last stage of a stage's file.
func (st *Stage) last() bool {
	all := st.Siblings()
	return all[len(all)-1] == st
}

func unnamedStages(s *Subject) []Finding {
	var found []Finding
	for _, st := range s.Stages {
		if st.Name != "" || st.last() || len(st.Users()) == 0 {
			continue // a stage that nothing refers to is UnreachableStage's
		}
		found = append(found, st.at(fmt.Sprintf("stage %d has no name; other stages refer to it", st.index())))
	}
	return found
}

// index returns the number of a stage in its file.
func (st *Stage) index() int {
	for i, other := range st.Siblings() {
		if other == st {
			return i
		}
	}
	return -1
}

func numericFroms(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.steps() {
		if len(step.Refs) == 0 || step.Refs[0].Flag != stage.CopyFrom {
			continue
		}
		index, to := step.Refs[0].Written, s.byID[step.Refs[0].Node]
		if _, err := strconv.Atoi(index); err != nil || to == nil {
			continue
		}
		flag := "--from=" + index
		if to.Name == "" {
			found = append(found, step.at(fmt.Sprintf("%s is the stage of line %d, which has no name", flag, to.Loc.Line())).pointing(flag))
			continue
		}
		f := step.at(fmt.Sprintf("%s is the stage %s", flag, to.Name)).pointing(flag)
		if visible, ok := s.Graph.Visible(to.Name, step.Stage.ID); ok && visible == to.ID {
			f = f.mended(s, flag+" ", "--from="+to.Name+" ")
		}
		found = append(found, f)
	}
	return found
}

// namesImage reports whether the reference of a node is known to be an image,
// by its name or because it was found.
func (s *Subject) namesImage(id stage.ID) bool {
	return officialImages[s.Graph.Node(id).Ref] || s.found(id)
}

// found reports whether the image of a node could be had, and so its config is
// known.
func (s *Subject) found(id stage.ID) bool {
	n := s.Graph.Node(id)
	named, err := reference.ParseNormalizedNamed(n.Ref)
	if err != nil || s.Unresolved == nil {
		return err == nil
	}
	platform := s.Graph.UnitOf(n).Platforms.Target
	if n.Platform != nil {
		platform = *n.Platform
	}
	return s.Unresolved(reference.TagNameOnly(named).String(), &platform) == ""
}

// misspeltStages looks for references that are no stage, no image that can be
// had, and nearly a stage.
func misspeltStages(s *Subject) []Finding {
	var found []Finding
	report := func(at func(string) Finding, unit stage.UnitID, id stage.ID) {
		ref := s.Graph.Node(id).Ref
		if !plainName.MatchString(ref) || s.namesImage(id) {
			return
		}
		if meant := s.nearest(unit, ref); meant != "" {
			found = append(found, at(fmt.Sprintf("there is no stage %s, and no such image could be had; %s is a stage", ref, meant)).pointing(ref).mended(s, ref, meant))
		}
	}
	for _, st := range s.Stages {
		if st.onImage() && strings.EqualFold(st.From.BaseName, st.Ref) {
			report(st.at, st.Unit, st.ID)
		}
	}
	for _, step := range s.steps() {
		for _, n := range step.externals() {
			report(step.at, step.Stage.Unit, n.ID)
		}
	}
	return found
}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// nearest returns the stage of a file whose name differs from ref in one letter, or
// in two where that is less than half of it; empty where there is none.
func (s *Subject) nearest(unit stage.UnitID, ref string) string {
	best, name := min(2, (len(ref)-1)/2)+1, ""
	for _, st := range s.Stages {
		if st.Unit != unit || st.Name == "" {
			continue
		}
		if d := levenshtein.Distance(ref, st.Name, nil); d > 0 && d < best {
			best, name = d, st.Name
		}
	}
	return name
}

func laterStages(s *Subject) []Finding {
	var found []Finding
	for _, st := range s.Stages {
		if !st.onImage() || officialImages[st.Ref] {
			continue
		}
		for _, later := range st.Siblings() {
			if later.ID > st.ID && later.Name != "" && strings.EqualFold(later.Name, st.Ref) {
				found = append(found, st.at(fmt.Sprintf("%s is an image here: the stage %s stands below, on line %d", st.Ref, later.Name, later.Loc.Line())))
				break
			}
		}
	}
	return found
}

func platformsOnStages(s *Subject) []Finding {
	var found []Finding
	for _, st := range s.Stages {
		base := st.BaseStage()
		if st.From.Platform == "" || base == nil || base.Unit != st.Unit {
			continue
		}
		flag := "--platform=" + st.From.Platform
		f := st.at(fmt.Sprintf("%s has no effect: %s is a stage", flag, base.Title()))
		for _, space := range []string{" ", "\t"} {
			if len(f.edits) == 0 {
				f = f.mended(s, flag+space, "")
			}
		}
		found = append(found, f)
	}
	return found
}

// unreachableStages returns those that neither the target nor any stage with a
// name needs: a name is there to be built with --target.
func unreachableStages(s *Subject) []Finding {
	alive := map[stage.ID]bool{}
	for _, st := range s.Stages {
		if st.Needed || st.Name != "" || st.Unit != 0 {
			for id := range s.Graph.Reach(st.ID) {
				alive[id] = true
			}
			for _, e := range s.Graph.Out(st.ID) {
				alive[e.To] = true
			}
		}
	}
	var found []Finding
	for _, st := range s.Stages {
		if !alive[st.ID] && !(st.last() && st.Unit == 0) {
			found = append(found, st.at("nothing refers to this stage, and it has no name: it is never built"))
		}
	}
	return found
}

// stageCycles returns those that the target does not need: others are errors of
// the build.
func stageCycles(s *Subject) []Finding {
	err := s.Graph.CheckAll()
	var located *parser.LocationError
	if err == nil || !errors.As(err, &located) || len(located.Locations) == 0 {
		return nil
	}
	loc := dockerfile.Loc{File: dockerfile.FileOf(err), Ranges: located.Locations[0]}
	return []Finding{{Message: err.Error(), loc: loc}}
}
