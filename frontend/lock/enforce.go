package lock

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// Lock is a document that a build keeps to. file is its name, for messages.
type Lock struct {
	*Document
	File string
}

// Pin returns an image's reference with the digest of its entry. One that the
// Dockerfile gives a digest needs no entry.
func (l *Lock) Pin(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", errors.Wrap(err, ref)
	}
	if _, ok := named.(reference.Canonical); ok {
		return ref, nil
	}
	full := reference.TagNameOnly(named).String()
	s, ok := l.find(imageScheme + full)
	if !ok {
		return "", l.missing(full)
	}
	return full + "@" + s.Digest, nil
}

// Checksum returns what the source of an ADD must have.
func (l *Lock) Checksum(r *resolve.Remote) (string, error) {
	id, err := r.Identifier()
	if err != nil {
		return "", err
	}
	s, ok := l.find(id)
	if !ok {
		return "", l.missing(id)
	}
	return s.Digest, nil
}

func (l *Lock) missing(ref string) error {
	s := Source{Ref: ref}
	return errors.Errorf("%s is not in %s; write it again: %s", s.Name(), l.File, strings.ReplaceAll(command, FileName, l.File))
}

// Check is an error for a fetch that does not keep to the lock, located where
// the Dockerfile names the source.
func (l *Lock) Check(fetches []Fetch) error {
	for i := range fetches {
		if err := l.check(&fetches[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lock) check(f *Fetch) error {
	s, ok := l.find((&Source{Ref: f.Ref}).identifier())
	has := f.Digest
	switch {
	case strings.HasPrefix(f.Op.Identifier, gitScheme):
		has = f.Op.Attrs[pb.AttrGitChecksum]
	case !strings.HasPrefix(f.Op.Identifier, imageScheme):
		has = f.Op.Attrs[pb.AttrHTTPChecksum]
	case strings.Contains(f.Ref, "@"):
		return nil // the Dockerfile pins it itself
	}
	switch {
	case !ok:
		return f.locate(l.missing(f.Ref))
	case has == "":
		return f.locate(errors.Errorf("%s is fetched without a checksum, as a named context is, and STAGECRAFT_LOCK cannot give it one; "+
			"set EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=%s instead, which pins it", s.Name(), l.File))
	case has != s.Digest:
		return f.locate(errors.Errorf("%s would be %s, and %s has %s", s.Name(), has, l.File, s.Digest))
	}
	return nil
}

// Explain gives an error of the daemon about content that is not what the lock
// has the place where the Dockerfile names the source. Other errors stay.
func (l *Lock) Explain(err error, fetches []Fetch) error {
	if err == nil {
		return nil
	}
	for i := range fetches {
		f := &fetches[i]
		s, ok := l.find((&Source{Ref: f.Ref}).identifier())
		if ok && f.Platform == nil && strings.Contains(err.Error(), s.Digest) {
			return f.locate(errors.WithMessagef(err, "%s is no longer what %s has; write it again if that is right: %s", s.Name(), l.File, strings.ReplaceAll(command, FileName, l.File)))
		}
	}
	return err
}

// locate gives an error the place where the Dockerfile names the source.
func (f *Fetch) locate(err error) error {
	for _, loc := range f.locations {
		err = errdefs.WithSource(err, &errdefs.Source{Info: f.source.Infos[loc.SourceIndex], Ranges: loc.Ranges})
	}
	return err
}
