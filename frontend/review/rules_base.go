package review

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// baseRules are about the images that stages stand on.
var baseRules = []Rule{
	{
		ID:       "UnpinnedBase",
		Practice: "Base images are pinned",
		Why:      "A tag without a version is moved to every new release: the next build may be another program, or fail.",
		Mend:     "Name a version in the tag, or a digest.",
		Applies:  func(s *Subject) bool { return len(s.images()) > 0 },
		Check:    unpinnedBases,
	},
	{
		ID:       "ComposedBase",
		Practice: "A base image has one variable at most",
		Why:      "Tools that keep images up to date replace one value; a reference put together from several is left behind, or broken.",
		Mend:     "Keep the whole reference in one ARG, or only the version.",
		Applies:  func(s *Subject) bool { return len(s.images()) > 0 },
		Check:    composedBases,
	},
	{
		ID:       "LooseSyntax",
		Practice: "The syntax line names a version",
		Why:      "Without a version the language of the file changes on the day of a release, for all builds at once.",
		Mend:     "Name the major version: # syntax=docker/dockerfile:1.",
		Applies:  func(s *Subject) bool { _, _, ok := s.syntax(); return ok },
		Check:    looseSyntax,
	},
}

// imageUse is a place that names an image.
type imageUse struct {
	ref string
	at  func(string) Finding
	// from is the stage whose FROM names it, nil for COPY and mounts.
	from *Stage
	node stage.ID
}

// images returns the images that somebody wrote down, in the order of the graph.
func (s *Subject) images() []imageUse {
	var uses []imageUse
	for _, st := range s.Stages {
		if st.onImage() {
			uses = append(uses, imageUse{st.Ref, st.at, st, st.ID})
		}
	}
	for _, step := range s.steps() {
		for _, n := range step.externals() {
			uses = append(uses, imageUse{n.Ref, step.at, nil, n.ID})
		}
	}
	return slices.DeleteFunc(uses, func(u imageUse) bool { return s.isContext(u.node) })
}

// onImage reports whether a stage is built from an image, or what the client
// gave in place of one: not from a stage, and not from nothing.
func (st *Stage) onImage() bool {
	return st.Base == stage.None && !st.Open && !st.Replaced && st.Ref != stage.Scratch
}

// externals returns the images that an instruction takes files of. What a cache
// mount starts with is none: it is no part of what is built.
func (step *Step) externals() []*stage.Node {
	var mounts []*instructions.Mount
	if c, ok := step.Command.(*instructions.RunCommand); ok {
		mounts = instructions.GetMounts(c)
	}
	var nodes []*stage.Node
	for i, ref := range step.Refs {
		if ref.Node == stage.None || ref.Flag == stage.CopyPlatform || i < len(mounts) && mounts[i].Type == instructions.MountTypeCache {
			continue
		}
		if n := step.Stage.Subject.Graph.Node(ref.Node); n.Kind == stage.External && n.Unresolved == nil && n.Ref != stage.Scratch {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// isContext reports whether the client gave a named context in place of an
// image.
func (s *Subject) isContext(id stage.ID) bool {
	st := s.Plan.Stage(id)
	return st != nil && st.Base != nil && st.Base.Context != nil
}

func unpinnedBases(s *Subject) []Finding {
	var found []Finding
	for _, use := range s.images() {
		img, ok := parseImage(use.ref)
		if !ok || img.pinned() || plainName.MatchString(use.ref) && !s.namesImage(use.node) {
			continue // the latter is a misspelt stage, or a named context that is not given here
		}
		message := fmt.Sprintf("%s has no tag, which means latest", use.ref)
		switch img.tag {
		case "":
		case "latest":
			message = fmt.Sprintf("%s is whatever was released last", use.ref)
		default:
			message = fmt.Sprintf("the tag of %s has no version in it", use.ref)
		}
		f := use.at(message).pointing(use.ref)
		if digest := s.digestOf(use.node); digest != "" {
			f = f.mended(s, use.ref, use.ref+"@"+digest)
		}
		found = append(found, f)
	}
	return found
}

// isStageName reports whether a reference is, or is nearly, a stage: then it is
// not the version that is missing.
func (s *Subject) isStageName(ref string) bool {
	return slices.ContainsFunc(s.Stages, func(st *Stage) bool { return st.Name != "" && st.Name == ref && !officialImages[ref] })
}

// digestOf returns the digest under which the image of a node was found, empty
// where it was not.
func (s *Subject) digestOf(id stage.ID) string {
	st := s.Plan.Stage(id)
	if st == nil || st.Base == nil {
		return ""
	}
	img, _ := parseImage(st.Base.Ref)
	return img.digest
}

var variable = regexp.MustCompile(`\$\{?(\w+)`)

func composedBases(s *Subject) []Finding {
	var found []Finding
	for _, use := range s.images() {
		if use.from == nil || s.isStageName(use.ref) {
			continue
		}
		var names []string
		for _, m := range variable.FindAllStringSubmatch(use.from.From.BaseName, -1) {
			if !slices.Contains(names, m[1]) {
				names = append(names, m[1])
			}
		}
		if len(names) > 1 {
			found = append(found, use.at(fmt.Sprintf("%s is put together from %s", use.from.From.BaseName, list(names))))
		}
	}
	return found
}

// list returns a list for people: "A, B and C".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// syntax returns the frontend that the Dockerfile names, and where.
func (s *Subject) syntax() (ref string, loc dockerfile.Loc, ok bool) {
	ref, _, ranges, ok := parser.DetectSyntax(s.Files.Source(0).Data)
	return ref, dockerfile.Loc{Ranges: ranges}, ok
}

// looseTags are those of docker/dockerfile that move with every release. Other
// tags of other frontends may be anything.
var looseTags = map[string]bool{"": true, "latest": true, "experimental": true, "labs": true}

func looseSyntax(s *Subject) []Finding {
	ref, loc, _ := s.syntax()
	img, ok := parseImage(ref)
	if !ok || img.digest != "" || !looseTags[img.tag] {
		return nil
	}
	f := Finding{Message: fmt.Sprintf("%s names no version of the language", ref), loc: loc}
	if img.repository == "docker.io/docker/dockerfile" && (img.tag == "" || img.tag == "latest") {
		f = f.mended(s, ref, strings.TrimSuffix(ref, ":latest")+":1")
	}
	return []Finding{f}
}
