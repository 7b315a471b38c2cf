package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft/stagecraft/integration/images"
	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// serveRegistry has this process answer as the registry.
func (s *Sandbox) serveRegistry(ctx context.Context, set *images.Set) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.storage(), 0o700); err != nil {
		return err
	}
	s.Registry = l.Addr().String()
	handler := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(s.storage())), registry.Logger(log.New(io.Discard, "", 0)))
	s.server = &http.Server{Handler: handler}
	go func() { _ = s.server.Serve(l) }()
	if set == nil {
		return nil
	}
	return s.push(ctx, set)
}

// push uploads base images to the registry.
func (s *Sandbox) push(ctx context.Context, set *images.Set) error {
	for _, ref := range set.Names() {
		index, err := set.Index(ref)
		if err != nil {
			return err
		}
		named, err := name.ParseReference(ref)
		if err != nil {
			return err
		}
		here, err := name.NewTag(s.Registry+"/"+named.Context().RepositoryStr()+":"+named.Identifier(), name.Insecure)
		if err != nil {
			return err
		}
		if err := remote.WriteIndex(here, index, remote.WithContext(ctx)); err != nil {
			return fmt.Errorf("putting %s into the registry: %w", ref, err)
		}
	}
	return nil
}

// AddImages lets the running registry have further base images, such as "busybox:latest". What the cache
// lacks of them is made or fetched first.
func (s *Sandbox) AddImages(ctx context.Context, refs ...string) error {
	if len(refs) == 0 {
		return nil
	}
	set, err := images.Ensure(ctx, refs...)
	if err != nil {
		return fmt.Errorf("base images: %w", err)
	}
	if s.server != nil {
		return s.push(ctx, set)
	}
	// The registry looks into its folder at each question, so that nothing has to be uploaded.
	return set.WriteRegistryDir(ctx, s.storage())
}

// storage is the registry's folder.
func (s *Sandbox) storage() string { return filepath.Join(s.Dir, "registry") }

// startRegistry starts the registry on a port that was free a moment before; should another program
// have taken it meanwhile, on another.
func (s *Sandbox) startRegistry(ctx context.Context, set *images.Set) error {
	if set != nil {
		if err := set.WriteRegistryDir(ctx, s.storage()); err != nil {
			return err
		}
	}
	for attempt := 1; ; attempt++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.Registry = l.Addr().String()
		l.Close()
		config := filepath.Join(s.Dir, "registry.yml")
		text := fmt.Sprintf(`version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: %q
  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: false
http:
  addr: %q
`, s.storage(), s.Registry)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			return err
		}
		s.registry, err = s.enclosure.Start(enclosure.Program{
			Name: "registry", Path: s.bin["registry"], Args: []string{"serve", config},
			Env: setEnv(os.Environ(), "OTEL_TRACES_EXPORTER=none"),
		})
		if err != nil {
			return err
		}
		err = awaitReady(ctx, "the registry", s.registry, func() error {
			resp, err := http.Get("http://" + s.Registry + "/v2/")
			if err != nil {
				return err
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return errors.New(resp.Status)
			}
			return nil
		})
		if err == nil || attempt == 5 || ctx.Err() != nil {
			return err
		}
	}
}
