package review

import (
	"cmp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/util/suggest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// Version is the version of the JSON. It rises when a program that reads the
// present one would misread the next; fields may be added without.
const Version = 1

// Input is what a review is made from. New only reads it.
type Input struct {
	// Plan is the evaluated build; of all stages, where they can be.
	Plan *plan.Plan
	// Files are the files of the build, as they were read.
	Files *dockerfile.Files
	// BuildArgs are those of the client.
	BuildArgs map[string]string
	// Unresolved returns why the image of a complete reference could not be
	// had, empty where it could. Nil: all images could.
	Unresolved func(ref string, p *ocispecs.Platform) string
	// Checks are the findings of docker/dockerfile's own checks.
	Checks []Check
	// Skip are the rules that the client does not want.
	Skip []string
}

// ParseSkip returns the rules of STAGECRAFT_REVIEW=skip=A,B. An empty value has
// none.
func ParseSkip(option string) ([]string, error) {
	if option == "" {
		return nil, nil
	}
	names, ok := strings.CutPrefix(option, "skip=")
	if !ok {
		return nil, errors.Errorf("STAGECRAFT_REVIEW=%s: write skip= and the names of rules, for example skip=UnnamedStage,RootUser", option)
	}
	var skip []string
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		if known := ruleNames(); !slices.Contains(known, name) && name != "all" {
			err := errors.Errorf("STAGECRAFT_REVIEW=%s: there is no rule %q", option, name)
			return nil, suggest.WrapError(err, name, known, true)
		}
		skip = append(skip, name)
	}
	return skip, nil
}

func ruleNames() []string {
	var names []string
	for _, r := range Rules() {
		names = append(names, r.ID)
	}
	return names
}

// Check is a finding of docker/dockerfile's own checks.
type Check struct {
	Rule  string
	File  dockerfile.FileID
	Where []parser.Range
}

// Report is the answer of a review.
type Report struct {
	Version  int       `json:"version"`
	Findings []Finding `json:"findings"`
	// Passed and Missed are rules; one that did not apply, or that is skipped,
	// is in neither.
	Passed []string `json:"passed"`
	Missed []string `json:"missed"`
	// Checks is how much docker/dockerfile's own checks found.
	Checks int `json:"checks"`
	// Omitted is how many findings are left out, because there are so many.
	Omitted int `json:"omitted,omitempty"`

	subject *Subject
}

// Failed reports whether a practice is missed.
func (r *Report) Failed() bool { return len(r.Missed) > 0 }

// New judges a build by all rules.
func New(in Input) *Report { return judge(in, Rules()) }

func judge(in Input, rules []Rule) *Report {
	s := newSubject(in)
	r := &Report{Version: Version, Findings: []Finding{}, Passed: []string{}, Missed: []string{}, Checks: len(in.Checks), subject: s}
	for i := range rules {
		rule := &rules[i]
		if s.skipped(rule) || rule.Applies != nil && !rule.Applies(s) {
			continue
		}
		found := s.complete(rule, rule.Check(s))
		if len(found) == 0 {
			r.Passed = append(r.Passed, rule.ID)
			continue
		}
		r.Missed = append(r.Missed, rule.ID)
		r.Findings = append(r.Findings, found...)
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	if more := len(r.Findings) - mostFindings; more > 0 {
		r.Findings, r.Omitted = r.Findings[:mostFindings], more
	}
	return r
}

// An answer has to fit into 16 MiB: there are at most so many findings, each
// with at most so many bytes of mended lines.
const (
	mostFindings = 1000
	longestFix   = 4 << 10
)

// skipped reports whether nobody wants to hear of a rule: neither the client
// nor any of the files, which say so in upstream's own spelling.
func (s *Subject) skipped(rule *Rule) bool {
	if slices.Contains(s.Skip, rule.ID) || slices.Contains(s.Skip, "all") {
		return true
	}
	for i := range s.Graph.Units {
		f := s.Graph.Units[i].File
		lint := f.Lint(dockerfile.Whole(f.ID))
		if _, skip := lint.SkippedRules[rule.ID]; !skip && !lint.SkipAll {
			return false
		}
	}
	return true
}

// complete fills in what all findings of a rule have in common, and leaves out
// those that nobody wants, those of instructions that nobody wrote, and those
// that docker/dockerfile's own checks have.
func (s *Subject) complete(rule *Rule, found []Finding) []Finding {
	var kept []Finding
	type place struct {
		message, file string
		line          int
	}
	seen := map[place]bool{}
	for _, f := range found {
		f.Rule, f.Practice = rule.ID, rule.Practice
		s.locate(&f)
		key := place{f.Message, f.File, f.Line}
		if seen[key] || s.skippedAt(rule, &f) || s.alreadySaid(rule, &f) {
			continue
		}
		seen[key] = true
		kept = append(kept, f)
	}
	return kept
}

// locate sets file, lines and diff of a finding.
func (s *Subject) locate(f *Finding) {
	src := s.Files.Source(f.loc.File)
	f.File = src.Name()
	f.Line, f.EndLine = span(f.loc.Ranges)
	if f.near != "" {
		text := s.lines(f.loc.File, f.Line, f.EndLine)
		if i := slices.IndexFunc(text, func(line string) bool { return strings.Contains(line, f.near) }); i >= 0 {
			f.Line, f.EndLine = f.Line+i, f.Line+i
		}
	}
	if f.Fix = diff(f.File, string(src.Data), f.edits); len(f.Fix) > longestFix {
		f.Fix = ""
	}
}

// span returns the first and the last line of some ranges.
func span(ranges []parser.Range) (first, last int) {
	for _, r := range ranges {
		if first == 0 || r.Start.Line < first {
			first = r.Start.Line
		}
		last = max(last, r.End.Line, r.Start.Line)
	}
	return first, last
}

func (s *Subject) skippedAt(rule *Rule, f *Finding) bool {
	lint := s.Graph.Units[f.unit].File.Lint(f.loc).WithMergedConfigFromComments(f.comments)
	_, skip := lint.SkippedRules[rule.ID]
	return skip || lint.SkipAll
}

func (s *Subject) alreadySaid(rule *Rule, f *Finding) bool {
	first, last := span(f.loc.Ranges)
	return slices.ContainsFunc(s.Checks, func(c Check) bool {
		from, to := span(c.Where)
		return slices.Contains(rule.Silent, c.Rule) && s.Files.Source(c.File).Name() == f.File && from <= last && to >= first
	})
}
