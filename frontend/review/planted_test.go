package review_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// planted are mistakes that are planted in real files, each with the rule that
// must find it and whose mended lines must give the file as it was.
var planted = []struct {
	rule string
	// plant makes the mistake in a line; false where it cannot.
	plant func(f *dockerfile.File, line string) (string, bool)
}{
	{"NumericFrom", func(f *dockerfile.File, line string) (string, bool) {
		m := copyFrom.FindStringSubmatchIndex(line)
		if m == nil {
			return "", false
		}
		index := stageOf(f, line[m[2]:m[3]])
		return line[:m[2]] + fmt.Sprint(index) + line[m[3]:], index >= 0
	}},
	{"MisspeltStage", func(f *dockerfile.File, line string) (string, bool) {
		m := copyFrom.FindStringSubmatchIndex(line)
		if m == nil || m[3]-m[2] < 5 || stageOf(f, line[m[2]:m[3]]) < 0 {
			return "", false
		}
		at := m[2] + 2 // two letters change places
		misspelt := line[:at] + line[at+1:at+2] + line[at:at+1] + line[at+2:]
		name := misspelt[m[2]:m[3]]
		return misspelt, misspelt != line && regexp.MustCompile(`^[a-z0-9_-]+$`).MatchString(name) && !nearOther(f, name, line[m[2]:m[3]])
	}},
	{"PlatformOnStage", func(f *dockerfile.File, line string) (string, bool) {
		m := fromStage.FindStringSubmatch(line)
		if m == nil || stageOf(f, m[2]) < 0 {
			return "", false
		}
		return m[1] + " --platform=$BUILDPLATFORM " + strings.TrimLeft(line[len(m[1]):], " \t"), true
	}},
}

var (
	copyFrom  = regexp.MustCompile(`^COPY .*--from=([a-z][a-z0-9_-]*) `)
	fromStage = regexp.MustCompile(`^(FROM) ([a-z][a-z0-9_-]*)( |$)`)
)

// stageOf is the number of the only stage of a name, -1 where there is none.
func stageOf(f *dockerfile.File, name string) int {
	at := -1
	for i, s := range f.Stages {
		if s.Name == name {
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}

// nearOther reports whether a name is another stage, or as near to one as to
// the stage that is meant.
func nearOther(f *dockerfile.File, name, meant string) bool {
	for _, s := range f.Stages {
		if s.Name != meant && (s.Name == name || len(s.Name) > 2 && s.Name[:2] == name[:2]) {
			return true
		}
	}
	return false
}

// A mistake that is planted in a real file is found at its line, and the mended
// lines give the file that it was planted in.
func TestPlanted(t *testing.T) {
	count := map[string]int{}
	for _, file := range corpora(t) {
		text := string(file.Dockerfile)
		f, err := dockerfile.Parse(dockerfile.NewFiles("Dockerfile", file.Dockerfile, nil), 0, dockerfile.Options{})
		if err != nil {
			continue
		}
		before, err := build{dockerfile: text}.review(t)
		if err != nil {
			continue
		}
		all := strings.SplitAfter(text, "\n")
		for _, mistake := range planted {
			for i, line := range all {
				wrong, ok := mistake.plant(f, line)
				if !ok {
					continue
				}
				changed := strings.Join(all[:i], "") + wrong + strings.Join(all[i+1:], "")
				after, err := build{dockerfile: changed}.review(t)
				if err != nil {
					t.Errorf("%s:%d: %v\n%s", file.Name, i+1, err, wrong)
					continue
				}
				found := of(after, mistake.rule)
				for j := range found {
					if found[j].Line == i+1 {
						count[mistake.rule]++
						if mended, err := apply(changed, found[j].Fix); err != nil || mended != text {
							t.Errorf("%s:%d: %s mends it otherwise: %v\n%s", file.Name, i+1, mistake.rule, err, found[j].Fix)
						}
						found = nil
						break
					}
				}
				if found != nil || len(of(after, mistake.rule)) != len(of(before, mistake.rule))+1 {
					t.Errorf("%s:%d: %s does not find %q, or more than it", file.Name, i+1, mistake.rule, wrong)
				}
				break // one of each kind in a file
			}
		}
	}
	for _, mistake := range planted {
		if count[mistake.rule] < 20 {
			t.Errorf("%s was planted %d times only", mistake.rule, count[mistake.rule])
		}
	}
	t.Log(count)
}
