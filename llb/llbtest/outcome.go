package llbtest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/util/suggest"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/llb/lower"
	"google.golang.org/protobuf/proto"
)

// Outcome is what came out of a request: builds, or an error.
type Outcome struct {
	Builds []Build
	Err    error
	// Panic is the message of a panic, which is also the Err.
	Panic string
}

// errSilent is what the oracle says where it is not asked.
var errSilent = errors.New("docker/dockerfile is not asked")

// Diff returns the first difference between what docker/dockerfile made of a
// request and what we did, empty where there is none. Two rejections are the
// same where ours stands at the same line and says at least as much.
func Diff(r Request, upstream, ours Outcome) string {
	switch {
	case ours.Panic != "":
		return "ours panics: " + ours.Panic
	case upstream.Err == errSilent:
		return ""
	case upstream.Panic != "":
		return diffPanic(upstream, ours)
	case upstream.Err == nil && ours.Err == nil:
		return diffBuilds(upstream.Builds, ours.Builds)
	case upstream.Err == nil:
		return fmt.Sprintf("upstream accepts, ours rejects: %v", ours.Err)
	case ours.Err == nil:
		return fmt.Sprintf("ours accepts, upstream rejects: %v", upstream.Err)
	default:
		return diffErrors(r, upstream.Err, ours.Err)
	}
}

// diffPanic wants a located error of ours where upstream panics.
func diffPanic(upstream, ours Outcome) string {
	if ours.Err == nil {
		return "ours accepts, upstream panics: " + upstream.Panic
	}
	if firstLine(ours.Err) == 0 {
		return fmt.Sprintf("upstream panics (%s), ours is not located: %v", upstream.Panic, ours.Err)
	}
	return ""
}

// firstLine returns the line of an error's first location, 0 without one.
func firstLine(err error) int {
	if lines := errorLines(err); len(lines) > 0 {
		return lines[0]
	}
	return 0
}

// errorLines returns the lines of an error's locations. Ours may have several:
// a mistake that was made more than once, the way around a cycle.
func errorLines(err error) []int {
	var located *parser.LocationError
	if !errors.As(err, &located) {
		return nil
	}
	var lines []int
	for _, ranges := range located.Locations {
		if len(ranges) > 0 {
			lines = append(lines, ranges[0].Start.Line)
		}
	}
	return lines
}

func diffErrors(r Request, upstream, ours error) string {
	both := fmt.Sprintf("\n  upstream: %v\n  ours:     %v", upstream, ours)
	if want, got := firstLine(upstream), errorLines(ours); want != 0 && !slices.Contains(got, want) {
		return fmt.Sprintf("rejected at different lines: upstream %d, ours %v%s", want, got, both)
	}
	if diff := diffSuggestions(upstream, ours); diff != "" {
		return diff + both
	}
	if firstLine(upstream) == 0 && !strings.Contains(rulesInOrder(ours.Error()), rulesInOrder(upstream.Error())) {
		return fmt.Sprintf("our message lacks that of an error without a place%s", both)
	}
	for _, token := range offending(r.Dockerfile, upstream) {
		if !strings.Contains(ours.Error(), token) {
			return fmt.Sprintf("our message lacks %q%s", token, both)
		}
	}
	return ""
}

var quoted = regexp.MustCompile(`"([^"]+)"|'([^']+)'`)

// suggestion is what a message offers instead.
var suggestion = regexp.MustCompile(`\(did you mean ([^)]+)\?\)`)

// diffSuggestions wants upstream's suggestion in our message. Of several names
// that are equally near, either compiler takes one by chance.
func diffSuggestions(upstream, ours error) string {
	for _, m := range suggestion.FindAllStringSubmatch(upstream.Error(), -1) {
		if strings.Contains(ours.Error(), m[0]) {
			continue
		}
		n := suggestion.FindStringSubmatch(ours.Error())
		if n == nil || !slices.ContainsFunc(words(upstream.Error()), func(w string) bool { return equallyNear(w, m[1], n[1]) }) {
			return fmt.Sprintf("our message lacks %q", m[0])
		}
	}
	return ""
}

// equallyNear reports whether a search takes whichever of two names it sees first.
func equallyNear(word, a, b string) bool {
	first, _ := suggest.Search(word, []string{a, b}, false)
	second, _ := suggest.Search(word, []string{b, a}, false)
	return first != "" && second != "" && first != second
}

func words(msg string) []string {
	return strings.FieldsFunc(msg, func(r rune) bool { return strings.ContainsRune(` :,;"'()`, r) })
}

// offending returns the parts of a message that name the mistake: what it quotes,
// and its words that stand in the line which it points to.
func offending(dockerfile []byte, err error) []string {
	msg := err.Error()
	var tokens []string
	for _, m := range quoted.FindAllStringSubmatch(msg, -1) {
		tokens = append(tokens, m[1]+m[2])
	}
	line := firstLine(err)
	lines := strings.Split(string(dockerfile), "\n")
	if line == 0 || line > len(lines) {
		return tokens
	}
	source := strings.Fields(lines[line-1])
	for _, word := range strings.Fields(msg) {
		word = strings.Trim(word, `:,;."'()`)
		if len(word) > 1 && slices.Contains(source, word) {
			tokens = append(tokens, word)
		}
	}
	return tokens
}

func diffBuilds(upstream, ours []Build) string {
	if len(upstream) != len(ours) {
		return fmt.Sprintf("upstream made %d builds, ours %d", len(upstream), len(ours))
	}
	for i := range upstream {
		if diff := diffBuild(&upstream[i], &ours[i]); diff != "" {
			return upstream[i].Platform + ": " + diff
		}
	}
	return ""
}

func diffBuild(upstream, ours *Build) string {
	if diff := diffDefinition("definition", upstream.Def, ours.Def); diff != "" {
		return diff
	}
	return cmp.Or(
		diffText("image config", upstream.Image, ours.Image),
		diffText("base image config", upstream.Base, ours.Base),
		diffText("epoch", upstream.Epoch, ours.Epoch),
		diffText("no-cache", fmt.Sprint(upstream.IgnoreCache), fmt.Sprint(ours.IgnoreCache)),
		diffText("warnings", printWarnings(upstream.Warnings), printWarnings(ours.Warnings)),
		diffText("images asked for", strings.Join(upstream.Lookups, "\n"), strings.Join(ours.Lookups, "\n")),
		diffScan(upstream.Scan, ours.Scan),
	)
}

func diffScan(upstream, ours map[string]*llb.Definition) string {
	names := func(m map[string]*llb.Definition) string { return strings.Join(slices.Sorted(maps.Keys(m)), "\n") }
	if diff := diffText("filesystems for the SBOM", names(upstream), names(ours)); diff != "" {
		return diff
	}
	for _, name := range slices.Sorted(maps.Keys(upstream)) {
		if diff := diffDefinition("SBOM of "+name, upstream[name], ours[name]); diff != "" {
			return diff
		}
	}
	return ""
}

// diffDefinition compares all of a definition; text is made of it only to show
// a difference.
func diffDefinition(what string, upstream, ours *llb.Definition) string {
	if sameDefinition(upstream, ours) {
		return ""
	}
	if diff := diffText(what, lower.Print(upstream), lower.Print(ours)); diff != "" {
		return diff
	}
	return what + " differs in bytes that its text does not show"
}

func sameDefinition(a, b *llb.Definition) bool {
	return slices.EqualFunc(a.Def, b.Def, bytes.Equal) &&
		proto.Equal(a.Source, b.Source) &&
		reflect.DeepEqual(metadata(a), metadata(b))
}

// metadata is that of the operations, with the random ids of progress groups
// replaced by numbers.
func metadata(def *llb.Definition) map[digest.Digest]llb.OpMetadata {
	groups := map[string]string{}
	all := map[digest.Digest]llb.OpMetadata{}
	for _, dt := range def.Def {
		dgst := digest.FromBytes(dt)
		md, ok := def.Metadata[dgst]
		if !ok {
			continue
		}
		if md.ProgressGroup != nil {
			group := md.ProgressGroup.CloneVT()
			if _, seen := groups[group.Id]; !seen {
				groups[group.Id] = fmt.Sprint(len(groups))
			}
			group.Id = groups[group.Id]
			md.ProgressGroup = group
		}
		all[dgst] = md
	}
	return all
}

// printWarnings sorts: upstream finds some in the order of a map.
func printWarnings(warnings []Warning) string {
	var lines []string
	for _, w := range warnings {
		lines = append(lines, fmt.Sprintf("%s at %v: %s (%s, %s)", w.Rule, w.Where, w.Text, w.Description, w.URL))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// diffText shows the first line in which two texts differ, with the line's
// paragraph and the place in it.
func diffText(what, upstream, ours string) string {
	if upstream == ours {
		return ""
	}
	a, b := strings.Split(upstream, "\n"), strings.Split(ours, "\n")
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	lineOf := func(lines []string) string {
		if n < len(lines) {
			return lines[n]
		}
		return "(nothing more)"
	}
	head := ""
	for i := min(n, len(a)-1); i >= 0; i-- {
		if strings.HasPrefix(a[i], "#") {
			head = " in " + a[i]
			break
		}
	}
	x, y := around(lineOf(a), lineOf(b))
	return fmt.Sprintf("%s differs at line %d%s:\n  upstream: %s\n  ours:     %s", what, n+1, head, x, y)
}

// around cuts two long lines to where they part.
func around(a, b string) (string, string) {
	const before, after = 80, 160
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	cut := func(s string) string {
		from, to := max(0, at-before), min(len(s), at+after)
		if from > 0 {
			s = "…" + s[from:to]
		} else {
			s = s[:to]
		}
		return s
	}
	return cut(a), cut(b)
}
