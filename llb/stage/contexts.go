package stage

import (
	"path"
	"strings"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// String returns a build context as FROM --context has it; empty for the main one
// as the Dockerfile itself has it.
func (c *Context) String() string {
	switch {
	case c.Named != "":
		return c.Named
	case c.Dir == ".":
		return "."
	case c.Dir != "":
		return "./" + c.Dir
	}
	return ""
}

// key tells build contexts apart: by where they are, and by the ignore file
// that comes before their own.
func (c *Context) key() string {
	if c.Ignore == "" {
		return ""
	}
	if c.IgnoreRoot == dockerfile.InContext {
		return c.String() + " /" + c.Ignore
	}
	return c.String() + " " + c.Ignore
}

// addContext returns the build context that --context names for a file: a folder
// of the main context, or a named context.
func (g *Builder) addContext(value string, file dockerfile.FileID, loc dockerfile.Loc) (ContextID, error) {
	src := g.Files.Source(file)
	c := Context{Ignore: src.Path + ".dockerignore", IgnoreRoot: src.Root, Loc: loc}
	if strings.Contains(value, "$") {
		return 0, errors.Errorf("--context=%s: variables are not expanded here; write the folder, or a named context that the client chooses", value)
	}
	if err := dockerfile.CheckPath(value); err != nil {
		return 0, errors.WithMessage(err, "--context")
	}
	if strings.Contains(value, `\`) {
		return 0, errors.Errorf("--context=%s: the path is written with forward slashes: %s", value, strings.ReplaceAll(value, `\`, "/"))
	}
	if dockerfile.IsPath(value) || value == "." || value == ".." {
		c.Dir = path.Clean(strings.TrimLeft(value, "/"))
		if c.Dir == ".." || strings.HasPrefix(c.Dir, "../") {
			return 0, errors.Errorf("--context=%s is outside the build context", value)
		}
	} else {
		c.Named = value
	}
	return g.contextID(c), nil
}

// contextID adds a build context, unless it is there.
func (g *Builder) contextID(c Context) ContextID {
	for id := range g.Contexts {
		if g.Contexts[id].key() == c.key() {
			return ContextID(id)
		}
	}
	g.Contexts = append(g.Contexts, c)
	return ContextID(len(g.Contexts) - 1)
}
