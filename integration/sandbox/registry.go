package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/stagecraft/stagecraft/integration/images"
	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

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
	// The registry looks into its folder at each question, so that nothing has to be uploaded.
	return set.WriteRegistryDir(ctx, s.storage())
}

// storage is the registry's folder.
func (s *Sandbox) storage() string { return filepath.Join(s.Dir, "registry") }

// startRegistry starts the registry on a port that was free a moment before; should another program
// have taken it meanwhile, on another.
func (s *Sandbox) startRegistry(ctx context.Context) error {
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
