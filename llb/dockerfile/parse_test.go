package dockerfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func parse(text string, opt Options) (*File, error) {
	return Parse(NewFiles("Dockerfile", []byte(text), nil), 0, opt)
}

func TestParse(t *testing.T) {
	f, err := parse("# escape=`\nARG A=1 B\nFROM alpine AS One\nRUN x `\n y\nUNSET ENV A\nFROM one\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Args) != 1 || len(f.Args[0].Args) != 2 {
		t.Errorf("global args: %v", f.Args)
	}
	if len(f.Stages) != 2 || f.Stages[0].Name != "one" || len(f.Stages[0].Instrs) != 2 {
		t.Fatalf("stages: %+v", f.Stages)
	}
	if run := f.Stages[0].Instrs[0]; run.Loc.Line() != 4 || len(run.Loc.Ranges) != 2 {
		t.Errorf("RUN at %+v", run.Loc)
	}
	if f.Escape(Loc{}) != '`' {
		t.Errorf("escape %q", f.Escape(Loc{}))
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                        "1: the Dockerfile cannot be empty",
		"# nothing\n":                             "1: file with no instructions",
		"ARG A\n":                                 "1: dockerfile contains no stages to build",
		"\nRUN x\nFROM a\n":                       "2: no build stage in current context",
		"FROM a\nRUM x\n":                         "2: dockerfile parse error on line 2: unknown instruction: RUM (did you mean RUN?)",
		"FROM a\n\nCOPY --nope x y\n":             "3: dockerfile parse error on line 3: unknown flag: --nope",
		"FROM a\nRUN --mount=type=x true\n":       "", // the plan knows the types, after expansion
		"FROM a\nCOPY <<E /x\n":                   "2: unterminated heredoc",
		"FROM a\nUNSET\n":                         "2: dockerfile parse error on line 2: UNSET requires an argument",
		"FROM a\nUNSET NOTHING\n":                 "2: dockerfile parse error on line 2:",
		"FROM a\nINCLUDE ./other\n":               "2: INCLUDE ./other: ./other cannot be read",
		"# check=skip=;\nFROM a\n":                "1: failed to parse check options",
		"# syntax=x\n# escape=x\nFROM a\n":        "2: invalid escape token 'x'",
		"FROM a\nENTRYPOINT [\"a\", \"b\" \"c\"]": "",
	} {
		_, err := parse(text, Options{})
		if got := located(err); !strings.HasPrefix(got, want) || want == "" && err != nil {
			t.Errorf("%q:\n  want %s\n  got  %s", text, want, got)
		}
	}
}

// located is an error behind its first line.
func located(err error) string {
	if err == nil {
		return ""
	}
	line := 0
	var l *parser.LocationError
	if errors.As(err, &l) {
		line = l.Locations[0][0].Start.Line
	}
	return fmt.Sprintf("%d: %v", line, err)
}

func TestList(t *testing.T) {
	f, err := List(NewFiles("Dockerfile", []byte("# check=nonsense\nARG A\n"), nil))
	if err != nil || len(f.Stages) != 0 {
		t.Errorf("%v, %v", f, err)
	}
}

func TestChecks(t *testing.T) {
	for text, want := range map[string]string{
		"FROM a AS scratch\n":               "1 ReservedStageName",
		"FROM a AS x\nFROM b AS X\n":        "2 DuplicateStageName, 2 StageNameCasing",
		"FROM a\nrun x\nRun y\n":            "2 ConsistentInstructionCasing, 3 ConsistentInstructionCasing",
		"FROM a\nRUN x \\\n\n y\n":          "4 NoEmptyContinuation",
		"# check=skip=all\nFROM a AS X\n":   "",
		"FROM a\nEXPOSE 80 # no comment\n ": "",
	} {
		var found []string
		_, err := parse(text, Options{Warn: func(_ FileID, rule, _, _, _ string, where []parser.Range) {
			found = append(found, fmt.Sprintf("%d %s", where[0].Start.Line, rule))
		}})
		if got := strings.Join(found, ", "); err != nil || !sameWords(got, want) {
			t.Errorf("%q: want %q, got %q (%v)", text, want, got, err)
		}
	}
}

func sameWords(a, b string) bool {
	count := map[string]int{}
	for w := range strings.SplitSeq(a, ", ") {
		count[w]++
	}
	for w := range strings.SplitSeq(b, ", ") {
		count[w]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestParseTrigger(t *testing.T) {
	f, err := parse("FROM a\n\nFROM b\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := f.Stages[1].Loc
	got, err := f.ParseTrigger("COPY --from=x a b", at)
	if err != nil || len(got) != 1 || !got[0].OnBuild || got[0].Loc.Line() != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"RUN a\nRUN b", "FROM c", "NOPE"} {
		if _, err := f.ParseTrigger(text, at); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// What makes BuildKit's parsers panic is an error of the line: here a check
// directive where checks are switched off.
func TestParserPanics(t *testing.T) {
	_, err := parseNode(&parser.Node{Value: "run", StartLine: 3, EndLine: 3, PrevComment: []string{"check=skip=all"}}, nil)
	if got := located(err); !strings.HasPrefix(got, "3: malformed RUN instruction") {
		t.Error(got)
	}
}

func TestAt(t *testing.T) {
	loc := func(file FileID, line int) Loc {
		return Loc{File: file, Ranges: []parser.Range{{Start: parser.Position{Line: line}, End: parser.Position{Line: line}}}}
	}
	err := At(At(errors.New("x"), loc(0, 5)), loc(0, 2))
	if got := located(err); got != "5: x" {
		t.Errorf("the first location is in front: %s", got)
	}
	other := At(At(errors.New("y"), loc(1, 7)), loc(0, 2))
	if got := located(other); got != "7: y" || FileOf(other) != 1 {
		t.Errorf("a location in another file stays: %s in file %d", got, FileOf(other))
	}
	if At(nil, loc(0, 1)) != nil || InFile(nil, 1) != nil {
		t.Error("nil became an error")
	}
}
