package images

import (
	"os"
	"path/filepath"
	"testing"
)

var debianExpectations = []expectation{
	{
		ref:    "debian:12-slim",
		config: `"Cmd":\["bash"\]`,
		files:  []string{"bin/bash", "usr/bin/apt-get", "usr/share/keyrings/debian-archive-keyring.gpg"},
		run: `apt-get -q update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
			useradd -r -s /bin/false appuser && id appuser && grep -c BEGIN /etc/ssl/certs/ca-certificates.crt`,
		want: `uid=\d+\(appuser\)[^\n]*\n\d{2,}\n$`,
	},
}

// Several runs of apt share what they downloaded, and a newer list takes the place of an older one.
func TestLinkFiles(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "made")
	write := func(dir, name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := linkFiles(filepath.Join(from, "absent"), to, aList); err != nil {
		t.Error(err)
	}
	write(from, "lock", "")
	write(from, "Packages", "new")
	write(from, "a.deb", "package")
	if err := os.Mkdir(filepath.Join(from, "partial"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(to, "Packages", "old")
	write(to, "kept", "kept")
	for range 2 { // again finds all there
		if err := linkFiles(from, to, aList); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(to)
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, entry := range entries {
			content, err := os.ReadFile(filepath.Join(to, entry.Name()))
			found += entry.Name() + "=" + string(content) + " "
			if err != nil {
				t.Error(err)
			}
		}
		if want := "Packages=new a.deb=package kept=kept "; found != want {
			t.Errorf("there are %q, want %q", found, want)
		}
	}
	if aPackage("Packages") || !aPackage("a.deb") {
		t.Error("a package is a .deb file")
	}
}
