// Package sandbox starts a BuildKit daemon and an image registry for a test, a demo or a measurement,
// with the pinned engines of package tools, and leaves nothing behind (package enclosure).
//
// The registry listens on a free loopback port; the daemon, on a socket in the sandbox's own folder,
// reads the registry as docker.io's mirror. So a Dockerfile names base images and its syntax image just
// as it does anywhere else.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/images"
	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// startTimeout bounds how long the engines may take until they answer. The measured time is under a
// second; the bound is for a machine that is busy with other tests.
const startTimeout = 90 * time.Second

// Sandbox is a running daemon and registry.
type Sandbox struct {
	Dir          string // removed by Close; a place for a caller's own files
	Registry     string // host:port, plain HTTP
	BuildkitAddr string // unix:///…
	// Origin tells where the base images come from, for people: Docker Hub, or made here.
	Origin string

	settings  settings
	bin       map[string]string // path of each tool
	enclosure *enclosure.Enclosure
	buildkitd *enclosure.Process
	registry  *enclosure.Process // nil where it is part of this process
	server    *http.Server       // the registry then
	env       []string           // for clients
	root      string             // the daemon's folder

	stateFolder string     // what of the sandbox is kept; empty: nothing
	release     func()     // gives the lock on it back
	kept        keptFolder // the daemon's

	dockersMu sync.Mutex
	dockers   []*Docker

	frontendOnce sync.Once
	frontend     string
	frontendErr  error
}

// New starts a sandbox for a test and closes it at the test's end. Where the test failed, the engines'
// logs are shown. A sandbox that cannot start fails the test.
func New(tb testing.TB, opts ...Option) *Sandbox {
	tb.Helper()
	s, err := Start(tb.Context(), opts...)
	if err != nil {
		tb.Fatalf("starting a sandbox: %v", err)
	}
	tb.Cleanup(func() {
		if log := s.Logs(); tb.Failed() && log != "" {
			tb.Log(log)
		}
		if err := s.Close(); err != nil {
			tb.Errorf("closing the sandbox: %v", err)
		}
	})
	return s
}

// Start starts a sandbox, and waits until its engines answer. The caller closes it. ctx bounds only the
// start. What has to be built or fetched first is told on standard error.
func Start(ctx context.Context, opts ...Option) (*Sandbox, error) {
	s := &Sandbox{bin: map[string]string{}, release: func() {}}
	for _, opt := range opts {
		opt(&s.settings)
	}
	for _, tool := range s.programs() {
		path, err := tools.Bin(ctx, tool)
		if err != nil {
			return nil, err
		}
		s.bin[tool] = path
	}
	var set *images.Set
	if !s.settings.noImages {
		var err error
		if set, err = images.Ensure(ctx, s.settings.images...); err != nil {
			return nil, fmt.Errorf("base images: %w", err)
		}
		s.Origin = set.Origin()
	}

	if err := s.takeState(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	if s.enclosure, err = enclosure.New(ctx); err != nil {
		s.release()
		return nil, err
	}
	s.Dir = s.enclosure.Dir
	s.root = filepath.Join(s.Dir, "buildkit")
	// The folder of the pinned build has a name like buildkit-0576165c23ee985d.
	_, build, _ := strings.Cut(filepath.Base(filepath.Dir(s.bin["buildkitd"])), "-")
	if s.kept, err = s.keptFolder("buildkit", build); err == nil && s.kept.dir != "" {
		s.root = s.kept.dir
	}
	if err == nil {
		err = s.startEngines(ctx, set)
	}
	if err != nil {
		logs := s.Logs()
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, logs), s.Close())
	}
	return s, nil
}

// programs lists the pinned programs that a sandbox is made of.
func (s *Sandbox) programs() []string {
	if s.settings.small {
		return []string{"buildkitd", "buildctl", "buildkit-runc"}
	}
	return []string{"buildkitd", "buildctl", "registry", "buildkit-runc", "buildx"}
}

func (s *Sandbox) startEngines(ctx context.Context, set *images.Set) error {
	start := s.startRegistry
	if s.settings.small {
		start = s.serveRegistry
	}
	if err := start(ctx, set); err != nil {
		return err
	}
	for _, dir := range []string{"tmp", "home", "docker/cli-plugins", "buildx"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	socket := filepath.Join(s.Dir, "buildkitd.sock")
	s.BuildkitAddr = "unix://" + socket
	err := s.StartBuildkitd(ctx)
	if err != nil && s.buildkitd != nil && s.kept.isUsed && ctx.Err() == nil {
		err = errors.Join(s.StopBuildkitd(ctx), s.kept.empty("cannot be used ("+err.Error()+")"))
		if err == nil {
			err = s.StartBuildkitd(ctx)
		}
	}
	if err != nil {
		return err
	}
	return s.configureClients(ctx)
}

// awaitReady asks until ready returns nil, the program has ended, or ctx is over.
func awaitReady(ctx context.Context, what string, p *enclosure.Process, ready func() error) error {
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return fmt.Errorf("%s ended instead of answering", what)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close ends the engines and removes the folder. What is kept of them is given back where they ended in
// peace.
func (s *Sandbox) Close() error {
	s.dockersMu.Lock()
	defer s.dockersMu.Unlock()
	var all sync.WaitGroup
	errs := make([]error, len(s.dockers)+1)
	for i, d := range s.dockers {
		all.Go(func() { errs[i] = d.Close() })
	}
	all.Go(func() {
		ended := s.kept.dir != "" && endInPeace(s.buildkitd)
		err := s.enclosure.Close()
		if s.server != nil {
			err = errors.Join(err, s.server.Close())
		}
		if ended && err == nil {
			err = s.kept.giveBack()
		}
		errs[len(s.dockers)] = err
	})
	all.Wait()
	s.release()
	return errors.Join(errs...)
}

// endInPeace ends programs, one after the other, and tells whether each ran until it was asked to end and
// then did so by itself.
func endInPeace(programs ...*enclosure.Process) bool {
	for _, p := range programs {
		if p == nil {
			return false
		}
		select {
		case <-p.Done():
			return false
		default:
		}
		if err := p.Stop(context.Background(), syscall.SIGTERM, 30*time.Second); err != nil {
			return false
		}
		if code, err := p.Wait(context.Background()); err != nil || code == 128+int(syscall.SIGKILL) {
			return false
		}
	}
	return true
}
