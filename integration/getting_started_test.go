package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// TestGettingStarted does what docs/getting-started.md tells a reader to do, in one shell next to a
// Docker Engine, and compares what is to be seen.
func TestGettingStarted(t *testing.T) {
	text, err := os.ReadFile("../docs/getting-started.md")
	if err != nil {
		t.Fatal(err)
	}
	lesson, err := readLesson(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := tools.Debian(t.Context(), "curl"); err != nil {
		t.Fatal(err)
	}
	_, d := dockerEngine(t, sandbox.DockerToday, "node:20-alpine", "busybox:latest")
	script := filepath.Join(t.TempDir(), "lesson.sh")
	if err := os.WriteFile(script, []byte(lesson.script()), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := d.Start(enclosure.Program{Name: "lesson", Path: "/bin/sh", Args: []string{script}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(p.Log)
	if err != nil {
		t.Fatal(err)
	}
	if err := lesson.check(string(log)); err != nil {
		t.Error(err)
	}
}

// lesson is what a page tells a reader to do: files to write and commands to type, in order.
type lesson []act

// act is one of them. A file is the block after a line that ends with its name and a colon; a command
// is a line of a block of the language console that begins with "$ ".
type act struct {
	line int // in the page
	file string
	text string // of the file, or the command
	// output is what the page shows after a command, line by line: "…" alone stands for any lines, within
	// a line for any text. Where the page shows nothing, whatever the command writes is right.
	output []string
}

// fails tells whether the page shows that the command does.
func (a act) fails() bool {
	return slices.ContainsFunc(a.output, func(line string) bool { return strings.HasPrefix(line, "ERROR: ") })
}

// named matches the end of a paragraph that names the file in the next block.
var named = regexp.MustCompile("`([^`]+)`:$")

func readLesson(page string) (lesson, error) {
	var l lesson
	var file, language string
	inside := false
	for i, line := range strings.Split(page, "\n") {
		switch {
		case strings.HasPrefix(line, "```") && !inside:
			inside, language = true, strings.TrimPrefix(line, "```")
			if language == "console" {
				break
			}
			if file == "" {
				return nil, fmt.Errorf("line %d: a block that is neither for the console nor after a line that names its file", i+1)
			}
			l = append(l, act{line: i + 1, file: file})
		case strings.HasPrefix(line, "```"):
			inside, file = false, ""
		case inside && language != "console":
			l[len(l)-1].text += line + "\n"
		case inside && strings.HasPrefix(line, "$ "):
			l = append(l, act{line: i + 1, text: strings.TrimPrefix(line, "$ ")})
		case inside:
			if len(l) == 0 || l[len(l)-1].file != "" {
				return nil, fmt.Errorf("line %d: output before a command", i+1)
			}
			last := &l[len(l)-1]
			last.output = append(last.output, line)
		case line != "":
			file = ""
			if match := named.FindStringSubmatch(line); match != nil {
				file = match[1]
			}
		}
	}
	return l, nil
}

// mark stands on a line of its own after what a command wrote, with the command's number and exit status.
const mark = "--- lesson"

// script is the lesson as a shell script. It ends at the first command that does otherwise than the page
// shows.
func (l lesson) script() string {
	var b strings.Builder
	for i, a := range l {
		if a.file != "" {
			fmt.Fprintf(&b, "cat > '%s' <<'END OF FILE'\n%sEND OF FILE\n", a.file, a.text)
			continue
		}
		want := "-eq"
		if a.fails() {
			want = "-ne"
		}
		fmt.Fprintf(&b, "%s 2>&1\nstatus=$?; echo; echo '%s' %d $status; [ $status %s 0 ] || exit\n", a.text, mark, i, want)
	}
	return b.String()
}

// check compares what the script wrote with what the page shows.
func (l lesson) check(log string) error {
	log = oneWording(log)
	for i, a := range l {
		if a.file != "" {
			continue
		}
		output, rest, found := strings.Cut(log, fmt.Sprintf("\n%s %d ", mark, i))
		status, rest, _ := strings.Cut(rest, "\n")
		if !found || (status == "0") == a.fails() {
			return fmt.Errorf("line %d: %s: exit status %q; it wrote:\n%s", a.line, a.text, status, output)
		}
		if log = rest; len(a.output) == 0 {
			continue
		}
		var pattern strings.Builder
		for _, line := range a.output {
			if line == "…" {
				pattern.WriteString(`(?:.*\n)*`)
			} else {
				pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `\n`)
			}
		}
		output = strings.TrimRight(output, "\n") + "\n"
		if !regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(output) {
			return fmt.Errorf("line %d: %s wrote:\n%s\nand not:\n%s", a.line, a.text, output, strings.Join(a.output, "\n"))
		}
	}
	return nil
}

// A page that promises what does not happen is found out.
func TestLesson(t *testing.T) {
	const page = "Write `greeting`:\n\n```\nhello\n```\n\n```console\n$ cat greeting; echo you\n…lo\nyou\n$ false; cat none\n…\nERROR: …\n```\n"
	l, err := readLesson(page)
	if err != nil {
		t.Fatal(err)
	}
	const good = "hello\nyou\n\n--- lesson 1 0\nmore\nERROR: none\n\n--- lesson 2 1\n"
	for _, test := range []struct{ name, log, want string }{
		{"as promised", good, ""},
		{"a failure in the client's other words", strings.Replace(good, "ERROR: none", "ERROR: failed to build: failed to run Build function: x", 1), ""},
		{"other output", strings.Replace(good, "hello", "hell", 1), "line 8: cat greeting; echo you wrote:"},
		{"a line more", strings.Replace(good, "hello", "hello\nall", 1), "line 8: cat greeting; echo you wrote:"},
		{"a command that should have failed", strings.Replace(good, "2 1", "2 0", 1), "line 11: false; cat none: exit status"},
		{"a command that should not have", strings.Replace(good, "1 0", "1 7", 1), "line 8: cat greeting; echo you: exit status \"7\""},
		{"an end before the end", good[:20], "line 8: cat greeting; echo you: exit status \"\""},
	} {
		err := l.check(test.log)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	for _, page := range []string{"```\nx\n```\n", "```console\nx\n```\n"} {
		if _, err := readLesson(page); err == nil {
			t.Errorf("%q is read without complaint", page)
		}
	}
}
