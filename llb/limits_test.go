package llb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// TestFilesEnd are files that would go on for ever, or nearly: each ends in
// an error.
func TestFilesEnd(t *testing.T) {
	chain := func(n int, last string) map[string]string {
		files := map[string]string{}
		for i := range n {
			files[fmt.Sprintf("f%d", i)] = fmt.Sprintf("FROM --context=./c%d ./f%d\n", i, i+1)
		}
		files[fmt.Sprintf("f%d", n)] = last
		return files
	}
	comments := strings.Repeat("# "+strings.Repeat("x", 1<<15)+"\n", 32) // 1 MB
	many := map[string]string{}
	var all strings.Builder
	all.WriteString("FROM scratch\n")
	for i := range 1001 {
		many[fmt.Sprintf("f%d", i)] = "FROM scratch\n"
		fmt.Fprintf(&all, "COPY --from=./f%d / /\n", i)
	}
	type ending struct {
		name, root, want string
		files            map[string]string
	}
	endings := []ending{
		{"64 levels of files", "FROM ./f0\n", "", chain(62, "FROM scratch\n")},
		{"more levels of files", "FROM ./f0\n", "files refer to further files more than 64 levels deep", chain(70, "FROM scratch\n")},
		{"ever new contexts", "FROM ./f0\n", "the files refer to each other in a cycle: Dockerfile -> f0 -> f1 -> f2 -> f0", chain(2, "FROM --context=./more ./f0\n")},
		{"1001 files", all.String(), "./f1000: the build refers to more than 1000 files", many},
		{"files that include each other", "FROM scratch\nINCLUDE ./f0\n", "other files bring more than 100000 instructions", map[string]string{
			"f0": strings.Repeat("INCLUDE ./f1\n", 50), "f1": strings.Repeat("INCLUDE ./f2\n", 50), "f2": strings.Repeat("USER u\n", 50)}},
	}
	if llbtest.Oracle { // the race detector would take half a minute for so much text
		endings = append(endings, ending{"a large file with many contexts", contexts(20), "other files bring more than 16 MB", map[string]string{
			"f0": comments + "FROM scratch\n"}})
	}
	for _, tt := range endings {
		t.Run(tt.name, func(t *testing.T) {
			got := llbtest.Ours(t.Context(), llbtest.Request{Dockerfile: []byte(tt.root), Beside: tt.files})
			switch {
			case tt.want == "" && got.Err != nil:
				t.Error(got.Err)
			case tt.want != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), tt.want)):
				t.Errorf("got %v, want %s", got.Err, tt.want)
			}
		})
	}
}

// contexts uses a file with as many build contexts.
func contexts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "FROM --context=./c%d ./f0 AS s%d\n", i, i)
	}
	b.WriteString("FROM scratch\n")
	for i := range n {
		fmt.Fprintf(&b, "COPY --from=s%d / /\n", i)
	}
	return b.String()
}
