package images

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// Set is a number of base images that are ready in the cache.
type Set struct {
	origin  string
	entries []entry
}

// entry is one name and the layout of what it stands for.
type entry struct {
	name   string // such as "library/busybox:latest"
	layout string // folder of the OCI layout whose index.json is the image's own index
	index  v1.ImageIndex
}

// Ensure returns the named images, pulled or made where the cache lacks them; without names, those of
// the guide's Node and Go builds: debian, busybox, alpine, golang and node. A name is written as in a
// Dockerfile, such as "busybox" or "docker.io/library/node:20-alpine". From nothing the default ones
// take a few minutes, which is told on standard error.
//
// It fails where Docker Hub does not answer and a name has no stand-in, or the machine cannot make one
// (see the package's documentation). The environment variable STAGECRAFT_IMAGES, set to "hub" or
// "stand-ins", decides without asking Docker Hub.
func Ensure(ctx context.Context, refs ...string) (*Set, error) {
	if len(refs) == 0 {
		refs = basic()
	}
	var names []string
	for _, ref := range refs {
		n, err := hubName(ref)
		if err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	st, err := openStore(cacheDir(), os.Stderr)
	if err != nil {
		return nil, err
	}
	origin, err := chooseOrigin(ctx)
	if err != nil {
		return nil, err
	}
	set := &Set{origin: origin}
	if origin == fromHub {
		set.entries, err = pullAll(ctx, st, hub, names)
	} else {
		set.entries, err = makeAll(ctx, st, names)
	}
	if err != nil {
		return nil, err
	}
	return set, nil
}

// Origin tells where the images come from, for a person to read.
func (s *Set) Origin() string { return s.origin }

// StandIns tells whether the images were made here.
func (s *Set) StandIns() bool { return s.origin == fromDebian }

// Names lists the images as a registry knows them, such as "library/busybox:latest".
func (s *Set) Names() []string {
	var names []string
	for _, e := range s.entries {
		names = append(names, e.name)
	}
	return names
}

// Index returns the image index of a name that is written as in a Dockerfile.
func (s *Set) Index(ref string) (v1.ImageIndex, error) {
	want, err := hubName(ref)
	if err != nil {
		return nil, err
	}
	for _, e := range s.entries {
		if e.name == want {
			return e.index, nil
		}
	}
	return nil, fmt.Errorf("%s is not among %s", want, strings.Join(s.Names(), ", "))
}

// hubName turns a name as a Dockerfile writes it into repository and tag on Docker Hub.
func hubName(ref string) (string, error) {
	tag, err := name.NewTag(ref)
	if err != nil {
		return "", fmt.Errorf("base image %q: %w", ref, err)
	}
	if tag.RegistryStr() != name.DefaultRegistry {
		return "", fmt.Errorf("base image %q is not on Docker Hub", ref)
	}
	return tag.RepositoryStr() + ":" + tag.TagStr(), nil
}

func cacheDir() string { return tools.CacheDir() + "/images" }

// makeAll makes the stand-ins of names, as far as the cache lacks them.
func makeAll(ctx context.Context, st *store, names []string) ([]entry, error) {
	m, err := thisMachine()
	if err != nil {
		return nil, err
	}
	all, err := catalogue(m)
	if err != nil {
		return nil, err
	}
	var wanted []standIn
	complete := true
	for _, n := range names {
		found, err := find(all, n)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, found)
		for _, l := range found.all() {
			if _, ok := st.lookup(l.key()); !ok {
				complete = false
			}
		}
	}
	if !complete {
		unlock, err := tools.Lock(ctx, st.path("lock"), "the making of base images")
		if err != nil {
			return nil, err
		}
		defer unlock()
		// Nobody else makes anything now, so what lies here was left by a run that was killed.
		if err := st.clean(); err != nil {
			return nil, err
		}
		if err := makeLayers(ctx, st, wanted); err != nil {
			return nil, err
		}
	}
	var entries []entry
	for i, w := range wanted {
		dir, err := w.layout(ctx, st)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
		e, err := openEntry(names[i], dir)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// makeLayers makes all layers of the images, those side by side that do not need each other.
func makeLayers(ctx context.Context, st *store, wanted []standIn) error {
	rank(wanted)
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range wanted {
		for _, l := range w.all() {
			group.Go(func() error {
				_, err := l.ensure(ctx, st)
				return err
			})
		}
	}
	return group.Wait()
}

// rank sets the urgency of all layers that the images need.
func rank(wanted []standIn) {
	seen := map[*layer]bool{}
	var visit func(l *layer)
	visit = func(l *layer) {
		if seen[l] {
			return
		}
		seen[l] = true
		for needed := range l.needs() {
			needed.urgency++
			visit(needed)
		}
	}
	for _, w := range wanted {
		for _, l := range w.all() {
			visit(l)
		}
	}
}

// layout returns the folder of the image's OCI layout, written first where it is absent.
func (w standIn) layout(ctx context.Context, st *store) (string, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, variant := range append([]variant{{"amd64", w.layers}}, w.foreign...) {
		image, err := w.image(ctx, st, variant)
		if err != nil {
			return "", err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: variant.arch}},
		})
	}
	digest, err := index.Digest()
	if err != nil {
		return "", err
	}
	dir := st.path(fmt.Sprintf("%s-%.16s", fileName(w.names[0]), digest.Hex))
	if _, err := os.Stat(dir + "/index.json"); err == nil {
		return dir, nil
	}
	return dir, st.writeLayout(dir, index)
}

// image puts the layers of one architecture and the config together.
func (w standIn) image(ctx context.Context, st *store, v variant) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := time.Time{}
	for _, l := range v.layers {
		made, err := l.ensure(ctx, st)
		if err != nil {
			return nil, err
		}
		if made.Made.After(created) {
			created = made.Made
		}
		image, err = mutate.Append(image, mutate.Addendum{
			Layer: blobLayer{made, st.blob(made.DigestHash)},
			History: v1.History{
				Created:   v1.Time{Time: made.Made},
				CreatedBy: "stagecraft stand-in: " + l.name,
				Comment:   "stand-in, not the image of Docker Hub: " + w.about,
			},
		})
		if err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	if w.config.Cmd != nil {
		last, err := historyOf(w.config.Cmd, created)
		if err != nil {
			return nil, err
		}
		config.History = append(config.History, last)
	}
	config.OS, config.Architecture = "linux", v.arch
	config.Created = v1.Time{Time: created}
	config.Config = w.config
	return mutate.ConfigFile(image, config)
}

// historyOf is the entry with which the history of an image built from a Dockerfile ends. Those of Docker
// Hub do: BusyBox has one layer and two entries, and what is built on it counts on from there.
func historyOf(cmd []string, made time.Time) (v1.History, error) {
	words, err := json.Marshal(cmd)
	return v1.History{Created: v1.Time{Time: made}, CreatedBy: "CMD " + string(words), EmptyLayer: true}, err
}

// writeLayout writes an OCI layout whose blobs are those of the store.
func (st *store) writeLayout(dir string, index v1.ImageIndex) error {
	work, err := os.MkdirTemp(st.path("layouts.tmp"), "layout-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	// Absolute, because the folder is written in one place and moved to another.
	if err := os.Symlink(st.path("store", "blobs"), work+"/blobs"); err != nil {
		return err
	}
	if _, err := layout.Write(work, index); err != nil {
		return err
	}
	err = os.Rename(work, dir)
	if _, there := os.Stat(dir + "/index.json"); there == nil {
		return nil // by this program or by another that was as fast
	}
	return err
}

// openEntry reads a layout back.
func openEntry(imageName, dir string) (entry, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return entry{}, fmt.Errorf("reading the layout of %s: %w", imageName, err)
	}
	return entry{name: imageName, layout: dir, index: index}, nil
}

// clean removes what killed runs left in the folders of things being made. The caller has the lock
// under which layers are made; layouts are written without it, so those of the last hour stay.
func (st *store) clean() error {
	for folder, age := range map[string]time.Duration{"work": 0, "layouts.tmp": time.Hour} {
		entries, err := os.ReadDir(st.path(folder))
		if err != nil {
			return err
		}
		for _, e := range entries {
			info, err := e.Info()
			if err == nil && time.Since(info.ModTime()) < age {
				continue
			}
			if err := os.RemoveAll(st.path(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
