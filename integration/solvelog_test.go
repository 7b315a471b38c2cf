package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// solveLog is what a build told on its progress stream (buildx --progress=rawjson: one client.SolveStatus
// a line).
type solveLog struct {
	vertexes map[digest.Digest]*client.Vertex
	order    []digest.Digest
	// runs has the times during which each vertex ran to its end, uncached: one for each time that it ran.
	// Bake tells of a run once for each target that needs it, with times that differ by a little.
	runs map[digest.Digest][]span
	// outputs is what each step wrote.
	outputs map[digest.Digest]string
	// rest is what else the client wrote, such as its closing error.
	rest string
}

// readSolveLog reads a client's standard error.
func readSolveLog(tb testing.TB, text []byte) solveLog {
	tb.Helper()
	log, err := parseSolveLog(text)
	if err != nil {
		tb.Fatal(err)
	}
	return log
}

func parseSolveLog(text []byte) (solveLog, error) {
	log := solveLog{vertexes: map[digest.Digest]*client.Vertex{}, outputs: map[digest.Digest]string{}, runs: map[digest.Digest][]span{}}
	var rest strings.Builder
	scanner := bufio.NewScanner(bytes.NewReader(text))
	// The first status of a big build holds all of its vertexes.
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		var status client.SolveStatus
		if !bytes.HasPrefix(scanner.Bytes(), []byte("{")) || json.Unmarshal(scanner.Bytes(), &status) != nil {
			rest.WriteString(scanner.Text() + "\n")
			continue
		}
		for _, v := range status.Vertexes {
			if log.vertexes[v.Digest] == nil {
				log.order = append(log.order, v.Digest)
			}
			// Each report of a vertex replaces the one before.
			log.vertexes[v.Digest] = v
			if v.Started != nil && v.Completed != nil && !v.Cached && v.Error == "" {
				log.ran(v.Digest, span{*v.Started, *v.Completed})
			}
		}
		for _, l := range status.Logs {
			log.outputs[l.Vertex] += string(l.Data)
		}
	}
	if err := scanner.Err(); err != nil {
		return log, fmt.Errorf("reading the progress of a build: %w", err)
	}
	log.rest = rest.String()
	return log, nil
}

// wrote tells whether a step wrote a text.
func (l solveLog) wrote(text string) bool { return strings.Contains(l.output(), text) }

// output is what the steps wrote, one step after the other.
func (l solveLog) output() string {
	var b strings.Builder
	for _, d := range l.order {
		b.WriteString(l.outputs[d])
	}
	return b.String()
}

// span is a time during which something went on.
type span struct{ from, to time.Time }

func (s span) overlaps(other span) bool { return s.from.Before(other.to) && other.from.Before(s.to) }

// ran notes a run, unless it is one that was told of before: a daemon does not run one vertex twice at
// the same time.
func (l solveLog) ran(d digest.Digest, s span) {
	if !slices.ContainsFunc(l.runs[d], s.overlaps) {
		l.runs[d] = append(l.runs[d], s)
	}
}

// trouble tells why a build failed: the vertexes that did, each with the end of what it wrote, and the
// client's own error.
func (l solveLog) trouble() string {
	const last = 40 // lines
	var b strings.Builder
	for _, d := range l.order {
		if v := l.vertexes[d]; v.Error != "" && state(v) != "CANCELED" {
			lines := strings.SplitAfter(l.outputs[d], "\n")
			fmt.Fprintf(&b, "%s: %s\n%s\n", v.Name, v.Error, strings.Join(lines[max(0, len(lines)-last):], ""))
		}
	}
	return b.String() + l.rest
}

// stepName is the progress name of an instruction that makes a file system: its stage and its keyword. A
// platform or a target of Bake may stand before the stage.
var stepName = regexp.MustCompile(`^\[(?:\S+ )*?(\S+) +\d+/\d+\] (RUN|COPY|ADD) `)

// step is the vertex of a RUN, COPY or ADD instruction.
type step struct {
	*client.Vertex
	stage string
	text  string // its name from the stage on
}

// steps are the vertexes of instructions, in the order in which they were first told.
func (l solveLog) steps() []step {
	var steps []step
	for _, d := range l.order {
		name := l.vertexes[d].Name
		if m := stepName.FindStringSubmatchIndex(name); m != nil {
			steps = append(steps, step{l.vertexes[d], name[m[2]:m[3]], name[m[2]:]})
		}
	}
	return steps
}

// names are those of all vertexes, in the order in which they were first told.
func (l solveLog) names() []string {
	var names []string
	for _, d := range l.order {
		names = append(names, l.vertexes[d].Name)
	}
	return names
}

// stages are the names of the stages that had steps, sorted.
func (l solveLog) stages() []string {
	var names []string
	for _, s := range l.steps() {
		names = append(names, s.stage)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// names lists steps, one a line, for a failure's message.
func names(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString("\n  " + s.Name)
		if s.Cached {
			b.WriteString(" (cached)")
		}
	}
	return b.String()
}
