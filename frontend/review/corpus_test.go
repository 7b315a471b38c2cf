package review_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/review"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

var show = flag.String("show", "", "print the hits of a rule on the corpora, with the lines around them")

// corpora are the folders of real Dockerfiles: those that STAGECRAFT_CORPORA
// lists, or ../shared/corpus and ../shared/corpus-review of the checkout.
func corpora(t testing.TB) []llbtest.File {
	t.Helper()
	dirs := filepath.SplitList(os.Getenv("STAGECRAFT_CORPORA"))
	if len(dirs) == 0 {
		dirs = []string{"../../../shared/corpus", "../../../shared/corpus-review"}
	}
	var all []llbtest.File
	for _, dir := range dirs {
		files, err := llbtest.Corpus(dir)
		if err == nil && len(files) == 0 {
			err = fmt.Errorf("%s has no Dockerfiles", dir)
		}
		if err != nil {
			t.Fatalf("the rules are judged by real Dockerfiles, which are not there: %v; STAGECRAFT_CORPORA lists the folders", err)
		}
		for _, f := range files {
			f.Name = filepath.Base(dir) + "/" + f.Name
			all = append(all, f)
		}
	}
	return all
}

// base is what a file of a corpus, OWNER+REPOSITORY+FOLDER__FILE@VERSION, is
// called in its folder.
func base(name string) string {
	name = name[strings.LastIndexAny(name, "+/")+1:]
	if i := strings.LastIndex(name, "__"); i >= 0 {
		name = name[i+2:]
	}
	name, _, _ = strings.Cut(name, "@")
	return name
}

// place is a line of a file of the corpora.
type place struct {
	file string
	line int
}

// reports are the reports on all files of the corpora that build with no
// arguments of the client.
func reports(t testing.TB) map[string]*review.Report {
	t.Helper()
	all, failed := map[string]*review.Report{}, 0
	for _, f := range corpora(t) {
		r, err := build{name: base(f.Name), dockerfile: string(f.Dockerfile)}.review(t)
		if err != nil {
			failed++
			continue
		}
		if _, twice := all[f.Name]; twice {
			t.Fatalf("two files are called %s", f.Name)
		}
		all[f.Name] = r
	}
	if failed*10 > len(all) {
		t.Fatalf("%d files have an error and only %d have none", failed, len(all))
	}
	return all
}

// verdict is what a person thinks of a hit.
type verdict struct {
	place
	right bool
	why   string
}

// verdicts reads testdata/verdicts/RULE.tsv: file, line, right or wrong, why.
func verdicts(t testing.TB, rule string) []verdict {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "verdicts", rule+".tsv"))
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []verdict
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		if strings.HasPrefix(scanner.Text(), "#") {
			continue
		}
		fields := strings.Split(scanner.Text(), "\t")
		line := 0
		if len(fields) == 4 {
			line, err = strconv.Atoi(fields[1])
		}
		if len(fields) != 4 || err != nil || fields[2] != "right" && fields[2] != "wrong" || fields[3] == "" {
			t.Fatalf("%s: not FILE, LINE, right or wrong, WHY with tabs between: %q", f.Name(), scanner.Text())
		}
		all = append(all, verdict{place{fields[0], line}, fields[2] == "right", fields[3]})
	}
	return all
}

// enough is how many hits of a rule a person has read at least.
const enough = 20

// Nine of ten hits of each rule are right, by the judgement of a person who
// has read enough of them.
func TestVerdicts(t *testing.T) {
	hits := map[string]map[place]bool{}
	for name, r := range reports(t) {
		for _, f := range r.Findings {
			if hits[f.Rule] == nil {
				hits[f.Rule] = map[place]bool{}
			}
			hits[f.Rule][place{name, f.Line}] = true
		}
	}
	for _, rule := range review.Rules() {
		found, right, wrong := hits[rule.ID], 0, 0
		for _, v := range verdicts(t, rule.ID) {
			switch {
			case found[v.place] && v.right:
				right++
			case found[v.place]:
				wrong++
			case v.right:
				t.Errorf("%s: %s:%d is no longer found, and was right: %s", rule.ID, v.file, v.line, v.why)
			}
		}
		t.Logf("%s: %d hits, of %d that were read %d are right", rule.ID, len(found), right+wrong, right)
		if read := right + wrong; read < min(enough, len(found)) {
			t.Errorf("%s: %d of %d hits have been read: at least %d should be", rule.ID, read, len(found), min(enough, len(found)))
		}
		if wrong*10 > right+wrong {
			t.Errorf("%s: %d of %d hits are wrong, which is more than one in ten", rule.ID, wrong, right+wrong)
		}
	}
}

// With -show=RULE, the hits of a rule; with -show=all, a list of all hits.
func TestShow(t *testing.T) {
	if *show == "" {
		return
	}
	n := 0
	for _, f := range corpora(t) {
		r, err := build{name: base(f.Name), dockerfile: string(f.Dockerfile)}.review(t)
		if err != nil {
			continue
		}
		for _, found := range r.Findings {
			if *show == "all" {
				fmt.Printf("%s\t%s\t%d\t%s\n", found.Rule, f.Name, found.Line, found.Message)
			}
			if found.Rule != *show {
				continue
			}
			n++
			fmt.Printf("=== %d %s:%d %s\n", n, f.Name, found.Line, found.Message)
			text := strings.Split(string(f.Dockerfile), "\n")
			for i := max(0, found.Line-5); i < min(len(text), found.EndLine+3, found.Line+14); i++ {
				fmt.Printf("%5d %.150s\n", i+1, text[i])
			}
			fmt.Print(found.Fix)
		}
	}
}
