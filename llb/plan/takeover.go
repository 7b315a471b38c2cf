package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// takeOver is ENV --from or LABEL --from: names with the values that they have
// in the image config of a stage or an image.
func (e *stageEval) takeOver(c *dockerfile.ConfigCommand, in *stage.Instruction) error {
	source := e.stageNode(in.Refs[0].Node)
	if source == nil || source == e.out {
		return errors.Errorf("%s --from=%s: a stage cannot take over its own config, nor that of a stage that depends on it", c.Keyword, c.From)
	}
	words, err := e.lex.ProcessWords(c.Names, &e.env)
	if err != nil {
		return err
	}
	has := source.variables()
	if c.Keyword == "LABEL" {
		has = source.labels()
	}
	pairs, err := e.chosen(c, has, words)
	if err != nil {
		return err
	}
	if c.Keyword == "LABEL" {
		e.label(&instructions.LabelCommand{Labels: pairs})
		return nil
	}
	for _, kv := range pairs {
		e.checkSecretName("ENV", kv.Key, c)
	}
	e.setPairs(pairs, c.String())
	return nil
}

// chosen returns the pairs of some names; "*" is all.
func (e *stageEval) chosen(c *dockerfile.ConfigCommand, has instructions.KeyValuePairs, names []string) (instructions.KeyValuePairs, error) {
	var pairs instructions.KeyValuePairs
	for _, name := range names {
		if name == "*" {
			pairs = append(pairs, has...)
			continue
		}
		i := slices.IndexFunc(has, func(kv instructions.KeyValuePair) bool { return kv.Key == name })
		if i < 0 {
			return nil, notThere(c, name, has)
		}
		pairs = append(pairs, has[i])
	}
	return pairs, nil
}

// notThere is the error for a name that the config has not.
func notThere(c *dockerfile.ConfigCommand, name string, has instructions.KeyValuePairs) error {
	what := map[string]string{"ENV": "variable", "LABEL": "label"}[c.Keyword]
	var names []string
	for _, kv := range has {
		names = append(names, kv.Key)
	}
	known := "it has none"
	if len(names) > 0 {
		known = "it has " + strings.Join(names, ", ")
	}
	err := errors.Errorf("%s --from=%s: the image config of %s has no %s %s; %s", c.Keyword, c.From, c.From, what, name, known)
	return suggest.WrapError(err, name, names, true)
}

// variables returns the variables of a stage's image config, in its order.
func (s *Stage) variables() instructions.KeyValuePairs {
	var pairs instructions.KeyValuePairs
	for _, kv := range s.Image.Config.Env {
		key, value, _ := strings.Cut(kv, "=")
		pairs = append(pairs, instructions.KeyValuePair{Key: key, Value: value})
	}
	return pairs
}

// labels returns the labels of a stage's image config, by name.
func (s *Stage) labels() instructions.KeyValuePairs {
	var pairs instructions.KeyValuePairs
	for _, key := range slices.Sorted(maps.Keys(s.Image.Config.Labels)) {
		pairs = append(pairs, instructions.KeyValuePair{Key: key, Value: s.Image.Config.Labels[key]})
	}
	return pairs
}
