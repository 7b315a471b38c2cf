package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/suggest"
)

// argRules are about variables that reach nobody.
var argRules = []Rule{
	{
		ID:       "UndeclaredArg",
		Practice: "A stage declares the global ARGs that it uses",
		Why:      "An ARG before the first FROM is seen by FROM only: in a stage that does not declare it again the variable is empty.",
		Mend:     "Write ARG NAME, without a value, in the stage above the instruction.",
		Silent:   []string{"UndefinedVar"},
		Applies:  func(s *Subject) bool { return len(s.Graph.Units[0].Globals.Args) > 0 },
		Check:    undeclaredArgs,
	},
	{
		ID:       "UnusedBuildArg",
		Practice: "Every build argument is used",
		Why:      "A build argument that no stage declares changes nothing, and nobody says so: usually its name is misspelt.",
		Mend:     "Correct the name, declare it with ARG where it is meant to be used, or leave it out.",
		Applies:  func(s *Subject) bool { return len(s.ownBuildArgs()) > 0 },
		Check:    unusedBuildArgs,
	},
}

// undeclaredArgs looks at what shells read: for other instructions
// docker/dockerfile has a check.
func undeclaredArgs(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.steps() {
		globals := s.Graph.UnitOf(step.Stage.Node).Globals.Args
		var seen []string
		for _, name := range step.Script().reads {
			if _, global := globals[name]; !global || slices.Contains(seen, name) || step.Script().sets[name] || step.knows(name) {
				continue
			}
			seen = append(seen, name)
			f := step.at(fmt.Sprintf("%s is empty here: it is declared before the first FROM, and not in this stage", name)).pointing("$")
			f = f.pointing(name)
			f.edits = []edit{step.insertAbove("ARG " + name)}
			found = append(found, f)
		}
	}
	return found
}

// knows reports whether a variable has been declared or set where an
// instruction stands.
func (step *Step) knows(name string) bool {
	for _, before := range step.Stage.InChain() {
		if before.Stage == step.Stage && before.Index >= step.Index {
			break
		}
		switch c := before.Command.(type) {
		case *instructions.ArgCommand:
			if slices.ContainsFunc(c.Args, func(kv instructions.KeyValuePairOptional) bool { return kv.Key == name }) {
				return true
			}
		case *instructions.EnvCommand:
			if slices.ContainsFunc(c.Env, func(kv instructions.KeyValuePair) bool { return kv.Key == name }) {
				return true
			}
		}
	}
	root := step.Stage.Chain()[0]
	if root.Planned == nil || root.Planned.Original == nil {
		return false
	}
	return slices.ContainsFunc(root.Planned.Original.Config.Env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
}

// insertAbove returns an edit that puts a line above an instruction and the
// comments that belong to it.
func (step *Step) insertAbove(line string) edit {
	first, _ := span(step.Loc.Ranges)
	text := step.Stage.Subject.lines(step.Loc.File, 1, first)
	for first > 1 && strings.HasPrefix(strings.TrimSpace(text[first-2]), "#") {
		first--
	}
	return edit{step.Loc.File, first, first - 1, []string{line}}
}

// predefined are arguments that count in every build without an ARG.
var predefined = set(`http_proxy https_proxy ftp_proxy no_proxy all_proxy source_date_epoch
	targetplatform targetos targetosversion targetarch targetvariant targetstage
	buildplatform buildos buildosversion buildarch buildvariant`)

// ownBuildArgs returns the names of the client's build arguments that mean
// something to the Dockerfile only.
func (s *Subject) ownBuildArgs() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.BuildArgs)) {
		if !predefined[strings.ToLower(name)] && !strings.HasPrefix(name, "BUILDKIT_") && !strings.HasPrefix(name, "STAGECRAFT_") {
			names = append(names, name)
		}
	}
	return names
}

func unusedBuildArgs(s *Subject) []Finding {
	used := s.usedArgs()
	var found []Finding
	for _, name := range s.ownBuildArgs() {
		if used[name] {
			continue
		}
		message := fmt.Sprintf("no stage of this build uses the build argument %s", name)
		if meant, ok := suggest.Search(name, s.declaredArgs(), true); ok {
			message += fmt.Sprintf("; there is an ARG %s", meant)
		}
		found = append(found, Finding{Message: message})
	}
	return found
}

// declaredArgs returns the names of all ARGs, in the order of the alphabet.
func (s *Subject) declaredArgs() []string {
	names := map[string]bool{}
	for i := range s.Graph.Units {
		for name := range s.Graph.Units[i].Globals.Args {
			names[name] = true
		}
	}
	for _, step := range s.steps() {
		if c, ok := step.Command.(*instructions.ArgCommand); ok {
			for _, kv := range c.Args {
				names[kv.Key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// usedArgs returns the ARGs of the stages that are built, and the global ones that
// their FROMs use.
func (s *Subject) usedArgs() map[string]bool {
	used := map[string]bool{}
	for _, st := range s.Stages {
		if !st.Needed {
			continue
		}
		for _, step := range st.Steps {
			if c, ok := step.Command.(*instructions.ArgCommand); ok {
				for _, kv := range c.Args {
					used[kv.Key] = true
				}
			}
		}
		for _, name := range st.UsedArgs {
			used[name] = true
		}
	}
	for i := range s.Graph.Units {
		args := s.Graph.Units[i].Globals.Args
		for todo := slices.Sorted(maps.Keys(used)); len(todo) > 0; todo = todo[1:] {
			for dep := range args[todo[0]].Deps {
				if !used[dep] {
					used[dep] = true
					todo = append(todo, dep)
				}
			}
		}
	}
	return used
}
