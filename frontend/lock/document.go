package lock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

// FileName is the name of the file where nothing else is said.
const FileName = "Dockerfile.lock"

// Version is the version of the file, which is that of BuildKit's policies.
const Version = 1

const (
	imageScheme = "docker-image://"
	gitScheme   = "git://"
)

// Source is something that a build fetches.
type Source struct {
	// Ref is an image in full, such as docker.io/library/alpine:3.20, a URL,
	// or a Git repository as BuildKit names it: git://host/repo.git#ref:dir.
	Ref string `json:"ref"`
	// Digest is that of an image's index or manifest or of a file, or the
	// commit of a Git reference.
	Digest string `json:"digest"`
	// Platforms are those that an image is used for; none for other sources.
	Platforms []string `json:"platforms,omitempty"`
	// UsedBy are the instructions, such as Dockerfile:3; none for a named
	// context, and for an image of the frontend that only the client names.
	UsedBy []string `json:"usedBy,omitempty"`
}

// Document is a lock file.
type Document struct {
	Sources []Source
}

// New makes a document of sources: each once, in the order of their names.
func New(found []Source) (*Document, error) {
	d := &Document{}
	for _, s := range found {
		i := slices.IndexFunc(d.Sources, func(known Source) bool { return known.Ref == s.Ref })
		if i < 0 {
			d.Sources = append(d.Sources, Source{Ref: s.Ref, Digest: s.Digest})
			i = len(d.Sources) - 1
		}
		known := &d.Sources[i]
		if known.Digest != s.Digest {
			return nil, errors.Errorf("%s has two digests at once, %s and %s: it moved just now; run the command again", s.Ref, known.Digest, s.Digest)
		}
		known.Platforms = merge(known.Platforms, s.Platforms)
		known.UsedBy = merge(known.UsedBy, s.UsedBy)
	}
	slices.SortFunc(d.Sources, func(a, b Source) int { return cmp.Compare(a.Ref, b.Ref) })
	return d, nil
}

func merge(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	slices.SortFunc(a, byPlace)
	return a
}

// byPlace orders Dockerfile:3 before Dockerfile:12.
func byPlace(a, b string) int {
	x, y := strings.LastIndex(a, ":"), strings.LastIndex(b, ":")
	if x < 0 || y < 0 {
		return cmp.Compare(a, b)
	}
	return cmp.Or(cmp.Compare(a[:x], b[:y]), cmp.Compare(len(a)-x, len(b)-y), cmp.Compare(a, b))
}

// rule is one rule of BuildKit's source policies.
type rule struct {
	Action   string   `json:"action"`
	Selector selector `json:"selector"`
	Updates  updates  `json:"updates"`
}

type selector struct {
	Identifier string `json:"identifier"`
}

type updates struct {
	Identifier string            `json:"identifier"`
	Attrs      map[string]string `json:"attrs,omitempty"`
}

// rule pins a source. It is none for an image that names its digest itself.
func (s *Source) rule() (rule, bool) {
	id := s.identifier()
	r := rule{Action: "CONVERT", Selector: selector{id}, Updates: updates{Identifier: id}}
	switch {
	case strings.HasPrefix(id, gitScheme):
		r.Updates.Attrs = map[string]string{pb.AttrGitChecksum: s.Digest}
	case strings.HasPrefix(id, imageScheme):
		if strings.Contains(s.Ref, "@") {
			return r, false
		}
		r.Updates.Identifier = id + "@" + s.Digest
	default:
		r.Updates.Attrs = map[string]string{pb.AttrHTTPChecksum: s.Digest}
	}
	return r, true
}

// identifier returns what BuildKit calls the source.
func (s *Source) identifier() string {
	if strings.Contains(s.Ref, "://") {
		return s.Ref
	}
	return imageScheme + s.Ref
}

// Name returns what a person calls the source: alpine:3.20.
func (s *Source) Name() string {
	if named, err := reference.ParseNormalizedNamed(s.Ref); err == nil && !strings.Contains(s.Ref, "://") {
		return reference.FamiliarString(named)
	}
	return s.Ref
}

// Bytes returns the file: JSON with an entry a line, for version control.
func (d *Document) Bytes() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n  \"version\": 1,\n  \"stagecraft\": {\n    \"sources\": [")
	for i, s := range d.Sources {
		if err := entry(&b, i, "      ", s); err != nil {
			return nil, err
		}
	}
	b.WriteString("\n    ]\n  },\n  \"rules\": [")
	n := 0
	for _, s := range d.Sources {
		r, ok := s.rule()
		if !ok {
			continue
		}
		if err := entry(&b, n, "    ", r); err != nil {
			return nil, err
		}
		n++
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes(), nil
}

// entry writes an element of a list.
func entry(b *bytes.Buffer, i int, indent string, v any) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // URLs have ampersands
	if err := encoder.Encode(v); err != nil {
		return errors.WithStack(err)
	}
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteString("\n" + indent + strings.TrimSuffix(line.String(), "\n"))
	return nil
}

// Read reads a file that Bytes wrote.
func Read(data []byte) (*Document, error) {
	var file struct {
		Version    int `json:"version"`
		Stagecraft *struct {
			Sources []Source `json:"sources"`
		} `json:"stagecraft"`
	}
	switch err := json.Unmarshal(data, &file); {
	case err != nil:
		return nil, errors.Errorf("it is not JSON as --call=lock writes it (%v); write it again: %s", err, command)
	case file.Version != Version:
		return nil, errors.Errorf("it has version %d, and this Stagecraft reads version %d", file.Version, Version)
	case file.Stagecraft == nil:
		return nil, errors.Errorf("it has no part \"stagecraft\", so it is another source policy; write one: %s", command)
	}
	for _, s := range file.Stagecraft.Sources {
		if s.Ref == "" || s.Digest == "" {
			return nil, errors.Errorf("an entry has no ref or no digest; write it again: %s", command)
		}
	}
	return &Document{Sources: file.Stagecraft.Sources}, nil
}

// command writes a lock file.
const command = "docker buildx build --call=lock . > " + FileName

// find returns the entry of a source, by what BuildKit calls it.
func (d *Document) find(identifier string) (*Source, bool) {
	for i := range d.Sources {
		if d.Sources[i].identifier() == identifier {
			return &d.Sources[i], true
		}
	}
	return nil, false
}
