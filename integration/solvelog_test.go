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

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// solveLog is what a build told on its progress stream (buildx --progress=rawjson: one client.SolveStatus
// a line).
type solveLog struct {
	vertexes map[digest.Digest]*client.Vertex
	order    []digest.Digest
	// output is what the steps wrote, all of them one after the other.
	output string
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
	log := solveLog{vertexes: map[digest.Digest]*client.Vertex{}}
	var output, rest strings.Builder
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
		}
		for _, l := range status.Logs {
			output.Write(l.Data)
		}
	}
	if err := scanner.Err(); err != nil {
		return log, fmt.Errorf("reading the progress of a build: %w", err)
	}
	log.output, log.rest = output.String(), rest.String()
	return log, nil
}

// stepName is the progress name of an instruction that makes a file system: its stage and its keyword.
var stepName = regexp.MustCompile(`^\[(?:\S+/\S+ )?(\S+) +\d+/\d+\] (RUN|COPY|ADD) `)

// step is the vertex of a RUN, COPY or ADD instruction.
type step struct {
	*client.Vertex
	stage string
}

// steps are the vertexes of instructions, in the order in which they were first told.
func (l solveLog) steps() []step {
	var steps []step
	for _, d := range l.order {
		if m := stepName.FindStringSubmatch(l.vertexes[d].Name); m != nil {
			steps = append(steps, step{l.vertexes[d], m[1]})
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
