package llbtest

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/builder"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stagecraft/stagecraft/llb/lower"
)

// Transcript is what a whole frontend did for a request, as text: its result
// or its error, and everything that it asked of the daemon.
type Transcript struct {
	Text string
	Err  error
	// Panic is the message of a panic.
	Panic string
}

// Serve runs a frontend.
func Serve(ctx context.Context, r Request, frontend gwclient.BuildFunc) (t Transcript) {
	defer func() {
		if p := recover(); p != nil {
			t = Transcript{Panic: fmt.Sprint(p)}
		}
	}()
	g := r.gateway()
	var b strings.Builder
	res, err := g.deliver(frontend(ctx, g))
	if err != nil {
		return Transcript{Err: err, Text: printSources(err)}
	}
	for _, k := range slices.Sorted(maps.Keys(res.Metadata)) {
		fmt.Fprintf(&b, "meta %s = %s\n", k, res.Metadata[k])
	}
	if res.Ref != nil {
		b.WriteString("ref " + printRef(res.Ref))
	}
	for _, k := range slices.Sorted(maps.Keys(res.Refs)) {
		fmt.Fprintf(&b, "ref %s %s", k, printRef(res.Refs[k]))
	}
	for _, k := range slices.Sorted(maps.Keys(res.Attestations)) {
		for _, a := range res.Attestations[k] {
			fmt.Fprintf(&b, "attestation %s %v %s %+v %s", k, a.Kind, a.Path, a.InToto, printRef(a.Ref))
		}
	}
	var asked []string
	for _, req := range g.solves {
		asked = append(asked, "solve "+printSolve(req))
	}
	asked = append(asked, g.Lookups()...)
	asked = append(asked, g.warnings...)
	slices.Sort(asked)
	b.WriteString(askedFor)
	for _, line := range slices.Compact(asked) { // caches may save a request
		b.WriteString(line + "\n")
	}
	t.Text = b.String()
	return t
}

// ServeUpstream runs docker/dockerfile's frontend.
func ServeUpstream(ctx context.Context, r Request) Transcript {
	if !Oracle {
		return Transcript{Err: errSilent}
	}
	return Serve(ctx, r, builder.Build)
}

// DiffTranscripts returns the first difference of two transcripts.
func DiffTranscripts(r Request, upstream, ours Transcript) string {
	switch {
	case ours.Panic != "":
		return "ours panics: " + ours.Panic
	case upstream.Err == errSilent:
		return ""
	case upstream.Panic != "":
		return "" // any answer is better
	case upstream.Err != nil && ours.Err != nil:
		if !strings.Contains(ours.Text, upstream.Text) { // ours may be located where upstream's is not
			return fmt.Sprintf("errors are shown at different places:\n%s%s  upstream: %v\n  ours:     %v", upstream.Text, ours.Text, upstream.Err, ours.Err)
		}
		return diffErrors(r, upstream.Err, ours.Err)
	case upstream.Err != nil || ours.Err != nil:
		return fmt.Sprintf("upstream: %v, ours: %v", upstream.Err, ours.Err)
	}
	up, our := rulesInOrder(settle(upstream.Text)), settle(ours.Text)
	if strings.Contains(up, `"buildError"`) {
		// What was asked for before the error is chance.
		up, _, _ = strings.Cut(up, askedFor)
		our, _, _ = strings.Cut(our, askedFor)
	}
	const complaint = "\"buildError\": {\n    \"message\": \"failed to parse stage name"
	if before, _, ok := strings.Cut(up, complaint); ok && strings.HasPrefix(our, before+complaint) {
		return "" // ours shows all malformed references, upstream one by chance
	}
	if before, _, ok := strings.Cut(up, `"location": {}`); ok && strings.HasPrefix(our, before) {
		return "" // the error that lint reports is located in ours
	}
	if sorted(up) == sorted(our) {
		return "" // upstream finds some warnings in the order of its goroutines
	}
	return diffText("transcript", up, our)
}

// askedFor begins the part of a transcript that says what the frontend asked
// the daemon for.
const askedFor = "asked for:\n"

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// printSources returns the places that an error shows, each once.
func printSources(err error) string {
	var lines []string
	for _, src := range errdefs.Sources(err) {
		line := "error in " + src.Info.GetFilename()
		for _, r := range src.Ranges {
			line += fmt.Sprintf(" %d-%d", r.Start.Line, r.End.Line)
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

var (
	randomID = regexp.MustCompile(`"id": "[a-z0-9]{25}"`)
	circle   = regexp.MustCompile(`(circular dependency detected on stage: [^:"]*)[^"\n]*`)
	noTarget = regexp.MustCompile(`(target stage \\"[^"]*\\" could not be found(?: \(did you mean [^)]*\))?); (?:there are|no stage has)[^"\n]*`)
)

// settle takes out of a transcript what is random (the ids of progress groups
// in convertllb) and what ours says in addition: the way around a cycle, and
// the stages that there are where a target is none.
func settle(text string) string {
	text = randomID.ReplaceAllString(text, `"id": "random"`)
	return noTarget.ReplaceAllString(circle.ReplaceAllString(text, "$1"), "$1")
}

// violations is the list of rules in the error of a check that fails the build.
var violations = regexp.MustCompile(`lint violation found for rules: ([A-Za-z]+(?:, [A-Za-z]+)*)`)

// rulesInOrder sorts the rules that upstream's error of a check names in the
// order of a map. Ours names them in the order of the alphabet.
func rulesInOrder(text string) string {
	return violations.ReplaceAllStringFunc(text, func(message string) string {
		before, list, _ := strings.Cut(message, ": ")
		rules := strings.Split(list, ", ")
		slices.Sort(rules)
		return before + ": " + strings.Join(rules, ", ")
	})
}

func printRef(ref gwclient.Reference) string {
	s, ok := ref.(*solved)
	if !ok {
		return fmt.Sprintf("%T\n", ref)
	}
	return printSolve(s.request)
}

func printSolve(req gwclient.SolveRequest) string {
	if req.Definition == nil {
		return fmt.Sprintf("frontend %s %v inputs %v\n", req.Frontend, req.FrontendOpt, slices.Sorted(maps.Keys(req.FrontendInputs)))
	}
	def, err := lower.Mask(req.Definition)
	if err != nil {
		return err.Error() + "\n"
	}
	return fmt.Sprintf("evaluate=%v cache-imports=%v\n%s", req.Evaluate, req.CacheImports, lower.Print(def))
}
