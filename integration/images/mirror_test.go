package images

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// The storage is written without the registry's help, so the registry itself must be asked.
func TestRegistryServesWrittenFolders(t *testing.T) {
	set, err := Ensure(t.Context(), "busybox", "alpine:latest", "alpine:3.19")
	if err != nil {
		t.Fatal(err)
	}
	program, err := tools.Bin(t.Context(), "registry")
	if err != nil {
		t.Fatal(err)
	}
	storage := filepath.Join(t.TempDir(), "storage")
	mirror := t.TempDir()
	for range 2 {
		if err := set.WriteRegistryDir(t.Context(), storage); err != nil {
			t.Fatal(err)
		}
		if err := set.WriteMirrorDir(t.Context(), mirror); err != nil {
			t.Fatal(err)
		}
	}
	host := serve(t, program, storage)
	for _, e := range set.entries {
		checkServed(t, host, e.name, mustDigest(t, e.index))
	}
	// A push on top of it finds it all there.
	for _, e := range set.entries {
		ref, err := name.NewTag(host+"/"+e.name, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.WriteIndex(ref, e.index, remote.WithContext(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	host = serve(t, program, filepath.Join(mirror, "data"))
	for _, e := range set.entries {
		manifest, err := e.index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		checkServed(t, host, e.name, manifest.Manifests[0].Digest)
	}
}

// serve starts a registry on a storage folder until the test ends.
func serve(t *testing.T, program, storage string) (host string) {
	config := filepath.Join(t.TempDir(), "config.yaml")
	text := "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: " + storage + "\nhttp:\n  addr: 127.0.0.1:0\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", config)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the signal is tied to the thread that started it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var seen []byte
	buf := make([]byte, 4096)
	for {
		n, err := log.Read(buf)
		seen = append(seen, buf[:n]...)
		if m := regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`).FindSubmatch(seen); m != nil {
			go func() { // lest the registry blocks on a full pipe
				for err == nil {
					_, err = log.Read(buf)
				}
			}()
			return string(m[1])
		}
		if err != nil {
			t.Fatalf("the registry ended: %s", seen)
		}
	}
}

// checkServed pulls all of an image from a registry, with every digest checked.
func checkServed(t *testing.T, host, image string, want v1.Hash) {
	t.Helper()
	ref, err := name.NewTag(host+"/"+image, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Get(ref, remote.WithContext(t.Context()))
	if err != nil {
		t.Errorf("%s: %v", image, err)
		return
	}
	if got.Digest != want {
		t.Errorf("%s is %s, want %s", image, got.Digest, want)
	}
	if got.MediaType.IsIndex() {
		index, err := got.ImageIndex()
		if err == nil {
			err = validate.Index(index)
		}
		if err != nil {
			t.Errorf("%s: %v", image, err)
		}
		return
	}
	pulled, err := got.Image()
	if err == nil {
		err = validate.Image(pulled)
	}
	if err != nil {
		t.Errorf("%s: %v", image, err)
	}
}
