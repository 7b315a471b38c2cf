package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// enginesPage holds the tables that TestEngines and TestExamples write.
const enginesPage = "../docs/engines.md"

// TestEngines builds the same things in every way that a user has, and compares what came of it with the
// table in docs/engines.md.
func TestEngines(t *testing.T) {
	e := exampleNamed(t, "external")
	// What is built besides the example stands on BusyBox.
	all := ways(t, exampleSandbox(t, append([]string{"busybox:latest"}, e.bases...)))
	rows := make([][]string, len(all))
	for i, w := range all {
		tag := fmt.Sprintf("engines/way%d", i)
		t.Run(strings.NewReplacer("`", "", ",", "").Replace(w.client+" "+w.named), func(t *testing.T) {
			t.Parallel()
			row := []string{w.engine, w.client, w.named, w.example(t, e, tag), w.additions(t, tag), w.failure(t, tag), w.callGraph(t)}
			if !t.Failed() {
				rows[i] = row
			}
		})
	}
	// It runs when the parallel tests have ended.
	t.Cleanup(func() {
		head := []string{"engine", "client", "frontend named by", "the example", "additions", "a failure", "`--call=graph`"}
		checkEnginesPage(t, "ways", head, rows)
	})
}

// checkEnginesPage compares a table of docs/engines.md with what a run has made, or writes it there with
// -update. A run that has left something out, or in which something failed, says nothing of the table.
func checkEnginesPage(t *testing.T, name string, head []string, rows [][]string) {
	t.Helper()
	if t.Failed() {
		return
	}
	lines := []string{strings.Join(head, " | "), strings.TrimSuffix(strings.Repeat("--- | ", len(head)), " | ")}
	for _, row := range rows {
		if len(row) == 0 || slices.Contains(row, "") {
			return
		}
		lines = append(lines, strings.Join(row, " | "))
	}
	table := "| " + strings.Join(lines, " |\n| ") + " |\n"
	page, err := os.ReadFile(enginesPage)
	if err != nil {
		t.Fatal(err)
	}
	from, to := "<!-- table of "+name+" -->\n", "<!-- end of "+name+" -->\n"
	before, rest, found := strings.Cut(string(page), from)
	old, after, foundEnd := strings.Cut(rest, to)
	if !found || !foundEnd {
		t.Fatalf("%s has no table between %q and %q", enginesPage, from, to)
	}
	if *update {
		if err := os.WriteFile(enginesPage, []byte(before+from+table+to+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != table {
		t.Errorf("%s has\n%s\nand this run made (-update writes it)\n%s", enginesPage, old, table)
	}
}

// folder makes a folder of files, the Dockerfile with our syntax line or without.
func (w way) folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		text = strings.TrimPrefix(text, syntaxLine)
		if name == "Dockerfile" && w.line {
			text = syntaxLine + text
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mustBuild builds what is to succeed.
func (w way) mustBuild(t *testing.T, dir, tag string) {
	t.Helper()
	out, err := w.build(dir, tag).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// example builds an application, runs it and asks it something.
func (w way) example(t *testing.T, e example, tag string) string {
	t.Helper()
	w.buildExample(t, e, tag+"/example")
	c, end, err := w.serve(t.Context(), e, tag+"/example")
	if err != nil {
		t.Fatal(err)
	}
	e.checkRunning(t, c)
	if err := end(); err != nil {
		t.Error(err)
	}
	return "answers"
}

// additions builds what no other frontend reads, and so shows that it was ours.
func (w way) additions(t *testing.T, tag string) string {
	t.Helper()
	dir := w.folder(t, map[string]string{
		"Dockerfile": `FROM busybox AS test
RUN echo engines > /tested
FROM --after=test busybox AS release
COPY --from=./tools/Dockerfile#made /made /all/
COPY --if-exists absent present /all/
INCLUDE ./part
CMD ["sh", "-c", "cat /all/*"]
`,
		"tools/Dockerfile": "FROM busybox AS made\nRUN echo another file > /made\n",
		"part":             "RUN echo included > /all/included\n",
		"present":          "present\n",
	})
	w.mustBuild(t, dir, tag+"/additions")
	out, err := w.output(t.Context(), tag+"/additions")
	if want := "included\nanother file\npresent"; err != nil || strings.TrimSpace(out) != want {
		t.Errorf("the image wrote %q, %v, want %q", out, err, want)
	}
	return "build"
}

// failure builds what a gate forbids.
func (w way) failure(t *testing.T, tag string) string {
	t.Helper()
	dir := w.folder(t, map[string]string{"Dockerfile": `FROM busybox AS test
RUN echo engines; exit 7
FROM --after=test busybox AS release
RUN echo engines release
`})
	out, err := w.build(dir, tag+"/failure").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(out), "--after=test of stage release") || !strings.Contains(string(out), "exit code: 7") {
		t.Errorf("the build ended with %v and wrote\n%s", err, out)
		return ""
	}
	shown := "message"
	if strings.Contains(string(out), ">>> RUN echo engines; exit 7") {
		shown = "message, source"
	}
	return fmt.Sprintf("%s, status %d", shown, exit.ExitCode())
}

// callGraph asks for the picture.
func (w way) callGraph(t *testing.T) string {
	t.Helper()
	if w.graph == nil {
		return "–"
	}
	dir := w.folder(t, map[string]string{"Dockerfile": "FROM busybox AS engines\nFROM engines AS release\n"})
	out, err := w.graph(dir).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Longest chain") {
		t.Errorf("--call=graph: %v\n%s", err, out)
	}
	return "drawn"
}
