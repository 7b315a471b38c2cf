package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// layer is one file system layer of a stand-in and all that decides what is in it.
type layer struct {
	name string
	// below are the layers that it is made on top of, lowest first; only what make changes there
	// becomes part of the layer.
	below []*layer
	// uses are layers that make reads from without standing on them.
	uses []*layer
	// inputs are what the content depends on next to other layers: scripts, versions, settings.
	inputs []string
	make   func(ctx context.Context, s *site) error
	// urgency is how many of the layers that are being made wait for this one (rank).
	urgency int

	once sync.Once
	made stored
	err  error
}

// site is where a layer is made: a scratch folder on the cache's file system.
type site struct {
	store *store
	dir   string // removed afterwards
	root  string // dir/root, with the layers below; what make changes here becomes the layer
}

// key names the layer's content, as far as the recipe decides it.
func (l *layer) key() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "layer 2\n%s\n", l.name)
	for _, b := range l.below {
		fmt.Fprintf(sum, "below %s\n", b.key())
	}
	for _, u := range l.uses {
		fmt.Fprintf(sum, "uses %s\n", u.key())
	}
	for _, in := range l.inputs {
		fmt.Fprintf(sum, "input %d\n%s\n", len(in), in)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// needs are all layers that must be there before this one is made, those beneath others included.
func (l *layer) needs() map[*layer]bool {
	all := map[*layer]bool{}
	for _, direct := range slices.Concat(l.below, l.uses) {
		all[direct] = true
		maps.Copy(all, direct.needs())
	}
	return all
}

// ensure returns the layer from the store and makes it first where the store lacks it. It may be
// called from several goroutines; the layer is made once.
func (l *layer) ensure(ctx context.Context, st *store) (stored, error) {
	l.once.Do(func() { l.made, l.err = l.ensureOnce(ctx, st) })
	return l.made, l.err
}

func (l *layer) ensureOnce(ctx context.Context, st *store) (stored, error) {
	key := l.key()
	if made, ok := st.lookup(key); ok {
		return made, nil
	}
	for _, dep := range append(append([]*layer{}, l.below...), l.uses...) {
		if _, err := dep.ensure(ctx, st); err != nil {
			return stored{}, err
		}
	}
	if err := st.slots.acquire(ctx, l.urgency); err != nil {
		return stored{}, err
	}
	defer st.slots.release()
	begun := time.Now()
	st.tell("making %s …", l.name)
	made, err := l.makeIn(ctx, st, key)
	if err != nil {
		return stored{}, fmt.Errorf("making the layer %s: %w", l.name, err)
	}
	st.tell("made %s: %.1f MB compressed, %.0f s", l.name, float64(made.Size)/1e6, time.Since(begun).Seconds())
	return made, nil
}

func (l *layer) makeIn(ctx context.Context, st *store, key string) (made stored, err error) {
	dir, err := os.MkdirTemp(st.path("work"), l.name+"-")
	if err != nil {
		return stored{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &site{store: st, dir: dir, root: filepath.Join(dir, "root")}
	if err := os.Mkdir(s.root, 0o755); err != nil {
		return stored{}, err
	}
	if err := s.unpack(ctx, s.root, l.below...); err != nil {
		return stored{}, err
	}
	before, err := snapshot(s.root)
	if err != nil {
		return stored{}, err
	}
	// A change within the clock's granularity of the snapshot would go unseen.
	time.Sleep(20 * time.Millisecond)
	if err := l.make(ctx, s); err != nil {
		return stored{}, err
	}
	return st.writeLayer(key, l.name, s.root, before)
}

// unpack lays the content of layers, lowest first, into root.
func (s *site) unpack(ctx context.Context, root string, layers ...*layer) error {
	for _, l := range layers {
		made, err := l.ensure(ctx, s.store)
		if err != nil {
			return err
		}
		if err := s.store.apply(ctx, root, made); err != nil {
			return fmt.Errorf("unpacking %s: %w", l.name, err)
		}
	}
	return nil
}

// identity tells whether a file was touched: the kernel sets the change time at each change of
// content, mode, owner or link count, and no program can set it back.
type identity struct {
	inode   uint64
	changed syscall.Timespec
}

func identityOf(info fs.FileInfo) identity {
	stat := info.Sys().(*syscall.Stat_t)
	return identity{stat.Ino, stat.Ctim}
}

// snapshot maps each path below root, such as "/etc/passwd", to its identity.
func snapshot(root string) (map[string]identity, error) {
	seen := map[string]identity{}
	err := walk(root, func(path string, info fs.FileInfo) error {
		seen[path] = identityOf(info)
		return nil
	})
	return seen, err
}

// notInLayers are the folders whose content belongs to the running container, not to its image.
var notInLayers = map[string]bool{"/dev": true, "/proc": true, "/sys": true}

// walk visits everything below root, except root itself, in lexical order, parents first.
func walk(root string, visit func(path string, info fs.FileInfo) error) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = strings.TrimPrefix(path, root)
		if path == "" {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if err := visit(path, info); err != nil {
			return err
		}
		if notInLayers[path] && entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}
