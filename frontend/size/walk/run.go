package walk

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Places are the folders of a measuring step: see [Root], [Below] and [Out].
type Places struct{ Root, Below, Out string }

// Run measures as spec says, a [Spec] in JSON, and writes the results.
func Run(spec string, at Places) error {
	var s Spec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return err
	}
	t := newTree()
	if s.Below {
		if err := t.load(filepath.Join(at.Below, TreeFile)); err != nil {
			return err
		}
	}
	for _, l := range s.Layers {
		if err := measure(t, at.Root, l); err != nil {
			return err
		}
	}
	return errors.Join(
		writeJSON(filepath.Join(at.Out, ResultFile), t.result()),
		writeJSON(filepath.Join(at.Out, TreeFile), t.save()),
	)
}

// saved is a tree in a file.
type saved struct {
	Layers []Measured
	Files  []savedFile
}

// savedFile is a name of a file. Paths are bytes, because they need not be text.
type savedFile struct {
	Path  []byte
	Bytes int64 `json:",omitempty"`
	Layer int   `json:",omitempty"`
	// Link is 1 more than the index of an earlier entry that is the same file, 0 where there is none.
	Link int `json:",omitempty"`
}

func (t *tree) save() *saved {
	s := &saved{Layers: t.layers}
	first := map[*content]int{}
	t.each(func(path string, c *content) {
		f := savedFile{Path: []byte(path)}
		if i, ok := first[c]; ok {
			f.Link = i + 1
		} else {
			f.Bytes, f.Layer = c.bytes, c.layer
			if c.names > 1 {
				first[c] = len(s.Files)
			}
		}
		s.Files = append(s.Files, f)
	})
	return s
}

func (t *tree) load(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	t.layers = s.Layers
	contents := make([]*content, len(s.Files))
	for i, f := range s.Files {
		if f.Link > 0 {
			contents[i] = contents[f.Link-1]
		} else {
			contents[i] = &content{bytes: f.Bytes, layer: f.Layer}
		}
		t.name(string(f.Path), contents[i])
	}
	return nil
}

func writeJSON(file string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
