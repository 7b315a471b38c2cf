package sandbox

import (
	"bytes"
	"os"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Stages is what can be seen of a Dockerfile's stages without evaluating it, to set a sandbox up for
// its build.
type Stages struct {
	// Names are the stages' names, lower case, in order; "" for a stage without one.
	Names []string
	// Images are the images that the stages name literally, each once, without scratch. A name with a
	// variable is not among them.
	Images []string
	// CopiedFrom are the names of stages that the last stage copies from, in order.
	CopiedFrom []string
}

// ReadStages reads the stages of the Dockerfile at a path. It looks at the syntax tree only, so that it
// understands a file whose instructions no frontend but ours does.
func ReadStages(path string) (Stages, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Stages{}, err
	}
	file, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return Stages{}, err
	}
	var s Stages
	var sources []string // of the stage at hand
	add := func(ref string) {
		switch {
		case ref == "" || strings.ContainsAny(ref, "$#") || slices.Contains(s.Names, strings.ToLower(ref)):
		case strings.Trim(ref, "0123456789") == "": // a stage's index
		case ref != "scratch" && !slices.Contains(s.Images, ref):
			s.Images = append(s.Images, ref)
		}
	}
	for _, node := range file.AST.Children {
		var words []string
		for word := node.Next; word != nil; word = word.Next {
			words = append(words, word.Value)
		}
		if strings.EqualFold(node.Value, "FROM") && len(words) > 0 {
			sources = nil
			add(words[0])
			name := ""
			if len(words) == 3 && strings.EqualFold(words[1], "AS") {
				name = strings.ToLower(words[2])
			}
			s.Names = append(s.Names, name)
			continue
		}
		for _, flag := range node.Flags {
			key, value, _ := strings.Cut(flag, "=")
			switch key {
			case "--from":
				sources = append(sources, strings.ToLower(value))
				add(value)
			case "--mount":
				for part := range strings.SplitSeq(value, ",") {
					if ref, ok := strings.CutPrefix(part, "from="); ok {
						add(ref)
					}
				}
			}
		}
	}
	for _, source := range sources {
		if slices.Contains(s.Names, source) && !slices.Contains(s.CopiedFrom, source) {
			s.CopiedFrom = append(s.CopiedFrom, source)
		}
	}
	return s, nil
}
