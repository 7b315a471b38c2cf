package dockerfile

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// include puts the instructions of another file in the place of an INCLUDE.
// chain are the files that are being read, outermost first.
func (f *File) include(node *parser.Node, chain []FileID) error {
	at := f.loc(node, chain)
	id, err := f.includedFile(node, at, chain)
	if err != nil {
		return At(err, at)
	}
	src := f.Files.Source(id)
	tree, err := parseTree(src.Data)
	if err != nil {
		return src.explain(InFile(err, id), id)
	}
	if err := f.Files.spend(id, tree); err != nil {
		return At(err, at)
	}
	src.Escape = tree.EscapeToken
	warnEmptyContinuation(tree.Warnings, f.linters.of(id))
	f.Files.lookAhead(tree, id)
	return f.addAll(tree, append(slices.Clone(chain), id))
}

func (f *File) includedFile(node *parser.Node, at Loc, chain []FileID) (FileID, error) {
	ref := argument(node)
	if err := checkInclude(node, ref); err != nil {
		return 0, err
	}
	if len(chain) > maxIncludes {
		return 0, errors.Errorf("INCLUDE %s: files are included more than %d levels deep", ref, maxIncludes)
	}
	before := f.Files.Len()
	id, err := f.Files.Load(ref, at)
	if err != nil {
		return 0, errors.Wrapf(err, "INCLUDE %s", ref)
	}
	if slices.ContainsFunc(chain, func(outer FileID) bool { return f.Files.same(outer, id) }) {
		return 0, errors.Errorf("INCLUDE %s: the file includes itself: %s", ref, f.names(chain, id))
	}
	if int(id) < before {
		id = f.Files.loadAgain(id, at)
	}
	return id, nil
}

// checkInclude looks at what stands after INCLUDE.
func checkInclude(node *parser.Node, ref string) error {
	if len(node.Flags) > 0 {
		return errors.Errorf("unknown flag: %s; INCLUDE has none", strings.SplitN(node.Flags[0], "=", 2)[0])
	}
	if err := CheckPath(strings.ReplaceAll(ref, "\t", " ")); err != nil {
		return errors.WithMessage(err, "INCLUDE")
	}
	switch {
	case ref == "" || strings.ContainsAny(ref, " \t"):
		return errors.New("INCLUDE requires exactly one argument, the path of a file")
	case strings.Contains(ref, "$"):
		return errors.Errorf("INCLUDE %s: variables are not expanded here, because the file must be known before any variable has a value", ref)
	case strings.Contains(ref, `\`):
		return errors.Errorf("INCLUDE %s: the path is written with forward slashes: %s", ref, strings.ReplaceAll(ref, `\`, "/"))
	case strings.ContainsAny(ref, `"'`):
		return errors.Errorf("INCLUDE %s: quotes have no meaning here, write the plain path", ref)
	case !IsPath(ref):
		return errors.Errorf("INCLUDE %s: the path must start with ./ or ../, relative to this file, or with /, the root of the build context", ref)
	}
	return nil
}

// names are files on the way to a cycle.
func (f *File) names(chain []FileID, last FileID) string {
	var names []string
	for _, id := range append(slices.Clone(chain), last) {
		names = append(names, f.Files.Source(id).Name())
	}
	return strings.Join(names, " -> ")
}
