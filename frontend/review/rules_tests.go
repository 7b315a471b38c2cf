package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// testRules are about tests, and the order of build, test and production.
var testRules = []Rule{
	{
		ID:       "UngatedTest",
		Practice: "Tests gate the image",
		Why:      "Nothing needs this stage, so a build of the image leaves it out: the image exists whether or not its tests pass.",
		Mend:     "Require it with FROM --after=STAGE in the stage that is shipped (Stagecraft's own, see docs/language.md), or copy a file from it there.",
		Applies:  func(s *Subject) bool { return s.several() && !s.developing() },
		Check:    ungatedTests,
	},
	{
		ID:       "TestStageLast",
		Practice: "The stages stand in the order build, test, production",
		Why:      "A build without --target gives the last stage: with the tests there, whoever forgets the flag ships them.",
		Mend:     "Move the stage that is shipped to the end.",
		Applies:  (*Subject).several,
		Check:    testStagesLast,
	},
}

// ungatedTests looks for stages that test, and that the target leaves out. One
// that tests something itself is left alone: where some tests gate an image,
// others are left out on purpose.
func ungatedTests(s *Subject) []Finding {
	var tests []*Stage
	for _, st := range s.Stages {
		switch {
		case st.test() == nil:
		case st.Needed:
			return nil
		case st.Unit == 0:
			tests = append(tests, st)
		}
	}
	if len(tests) == 0 {
		return nil
	}
	var found []Finding
	gate := s.gatedBy(s.gates(tests))
	for _, st := range tests {
		f := st.at(fmt.Sprintf("a build of the image leaves out %s, which runs %s", st.Title(), short(st.test().text())))
		f.edits = gate
		found = append(found, f)
	}
	return found
}

// gates returns the names of stages that need all of some tests: of one that
// gathers them, if there is one, else their own. Nil where one has no name, or
// needs the target itself.
func (s *Subject) gates(tests []*Stage) []string {
	for _, st := range s.Stages {
		reach := s.Graph.Reach(st.ID)
		if st.Unit == 0 && st.Name != "" && isTestWord(st.Name) && !reach[s.Target.ID] &&
			!slices.ContainsFunc(tests, func(test *Stage) bool { return !reach[test.ID] }) {
			return []string{st.Name}
		}
	}
	var names []string
	for _, test := range tests {
		if test.Name == "" || s.Graph.Reach(test.ID)[s.Target.ID] {
			return nil
		}
		names = append(names, test.Name)
	}
	return names
}

// test returns the first command of a stage that tests something, nil without one.
func (st *Stage) test() *command {
	for _, step := range st.Steps {
		if i := slices.IndexFunc(step.Commands(), func(c command) bool { return c.tests() && !c.quiet }); i >= 0 {
			return &step.Commands()[i]
		}
	}
	return nil
}

// gatedBy returns the edits that add --after to the FROM of the target, in a file
// that is ours by its syntax line: docker/dockerfile does not know the flag.
func (s *Subject) gatedBy(names []string) []edit {
	ref, _, ok := s.syntax()
	img, isImage := parseImage(ref)
	if !ok || !isImage || img.name == "dockerfile" || img.name == "dockerfile-upstream" || len(names) == 0 {
		return nil
	}
	if s.Target.Unit != 0 || s.Target.Loc.File != 0 || len(s.afters(s.Target)) > 0 {
		return nil // there is a list to extend, or another file to change
	}
	first, _ := span(s.Target.Loc.Ranges)
	line := s.lines(0, first, first)[0]
	keyword, rest, ok := strings.Cut(line, " ")
	if !ok || !strings.EqualFold(keyword, "from") {
		return nil
	}
	mended := keyword + " --after=" + strings.Join(names, ",") + " " + rest
	return []edit{{0, first, first, []string{strings.TrimSuffix(mended, "\r")}}}
}

// afters returns the gates that a FROM names.
func (s *Subject) afters(st *Stage) []string {
	n := s.Graph.Node(st.ID)
	if n.Kind != stage.Stage {
		return nil
	}
	return s.Graph.UnitOf(n).File.Stages[n.Index].Flags.After
}

// short returns a text of one line, cut to what a message has room for.
func short(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 50 {
		return text[:47] + "..."
	}
	return text
}

// testStagesLast looks for a last stage that tests, below one that is made to
// be run and that it does not need.
func testStagesLast(s *Subject) []Finding {
	last := s.Target
	if !last.last() || last.Unit != 0 || !isTestWord(last.Name) || last.runs() {
		return nil
	}
	for _, st := range s.Stages {
		if st != last && st.Unit == 0 && st.runs() && st.Name != "" && !isTestWord(st.Name) {
			return []Finding{last.at(fmt.Sprintf("a build without --target gives %s, not %s of line %d", last.Title(), st.Title(), st.Loc.Line()))}
		}
	}
	return nil
}

// runs reports whether a stage of its own says what its image runs.
func (st *Stage) runs() bool {
	return slices.ContainsFunc(st.Steps, func(step *Step) bool {
		switch step.Command.(type) {
		case *instructions.CmdCommand, *instructions.EntrypointCommand:
			return true
		}
		return false
	})
}
