package dockerfile

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Flags stand where BuildKit's parser finds them, whatever is quoted or
// escaped in them.
func TestFlagSpans(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"--from=", "--mount=", "$X", "a", " ", "  ", "\t", `"`, "'", `\`, "`", `\ `, `\"`, "--", "-", ",", "=", "/b", "é"}
	found := 0
	for range 20_000 {
		var b strings.Builder
		b.WriteString([]string{"COPY ", "RUN  ", "x\t", "copy"}[r.IntN(4)])
		for range r.IntN(12) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		code := strings.TrimSpace(b.String())
		for directive, escape := range map[string]rune{"": '\\', "# escape=`\n": '`'} {
			tree, err := parseTree([]byte(directive + code + "\n"))
			if err != nil || len(tree.AST.Children) != 1 {
				continue // nothing that an instruction is made from
			}
			node := tree.AST.Children[0]
			var got []string
			text := strings.TrimSpace(node.Original)
			for _, s := range FlagSpans(text, escape) {
				got = append(got, Unquote(text[s.Start:s.End], escape))
			}
			// Its parser takes bytes for runes.
			for i, flag := range node.Flags {
				node.Flags[i] = strings.ReplaceAll(flag, "Ã©", "é")
			}
			if !slices.Equal(got, node.Flags) {
				t.Fatalf("%q has the flags %q, not %q", text, node.Flags, got)
			}
			found += len(got)
		}
	}
	if found < 1000 {
		t.Errorf("only %d flags were compared", found)
	}
}
