package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/system"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// What FROM refers to is the graph's to know (package stage); here is what the
// stage gets of it.

// inherit takes over what the base has: another stage, or what resolve found.
func (e *stageEval) inherit(n *stage.Node) {
	e.out.Asks = newOutline(e.unit)
	if n.Base != stage.None {
		base := e.plan.byID[n.Base]
		e.out.Image = cloneImage(base.Image)
		e.out.Image.Config.OnBuild = nil // fired already, one level deep
		e.out.Original = base.Original
		e.out.Platform = base.Platform
		e.out.Asks.inherit(&base.Asks)
		of := e.scopes[n.Base]
		*e.scope = *of
		e.env = of.env.Clone()
		e.declared = slices.Clone(of.declared)
		e.assigned = maps.Clone(of.assigned)
	} else {
		e.root = n.ID
		if b := e.out.Base; b != nil {
			e.out.Image = cloneImage(b.Image)
			e.out.Original = b.Original
			if b.Platform != nil {
				e.out.Platform = *b.Platform
			}
			e.scope.platform = b.StatePlatform
			e.progress.skip(b.Missed)
			if b.Ref != "" {
				// The image is there before its triggers are known, so they do not count yet.
				fired := triggers(n)
				e.progress.total -= fired
				e.out.Progress = e.progress.next("FROM "+b.Ref, b.Platform, &stage.Env{})
				e.progress.total += fired
			}
		}
	}
	e.out.Asks.useFrom(n.UsedArgs)
	e.out.IgnoreCache = n.NoCache
	if n.Kind == stage.Stage && !n.Replaced && e.opt.NoCache != nil {
		e.out.IgnoreCache = n.NoCache || slices.ContainsFunc(e.plan.Graph.Outside(n.ID), e.opt.NoCache)
	}
}

// startFrom begins a stage with the variables and the directory of its image
// config. A PATH is always set; Windows keeps its own.
func (e *stageEval) startFrom() error {
	config := &e.out.Image.Config
	if _, ok := shell.EnvsFromSlice(config.Env).Get("PATH"); !ok && !e.pathUnset && e.out.Platform.OS != "windows" {
		config.Env = append(config.Env, "PATH="+system.DefaultPathEnv(e.out.Platform.OS))
	}
	vars := make([]stage.Var, len(config.Env))
	for i, kv := range config.Env {
		vars[i].Key, vars[i].Value, _ = strings.Cut(kv, "=")
	}
	e.env.SetAll(vars)
	e.dir = "/"
	if config.WorkingDir != "" {
		return e.changeDir(config.WorkingDir)
	}
	return nil
}
