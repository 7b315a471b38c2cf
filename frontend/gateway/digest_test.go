package gateway

import (
	"testing"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// What the daemon has for a URL or a Git reference is asked for by the
// operation that a build would carry out.
func TestDigest(t *testing.T) {
	newSources := func(old bool) *Sources {
		var lacks []apicaps.CapID
		if old {
			lacks = append(lacks, gwpb.CapSourceMetaResolver)
		}
		s, err := New(&llbtest.Gateway{Lacks: lacks})
		if err != nil {
			t.Fatal(err)
		}
		return s.For(Goal{})
	}
	git, err := resolve.ParseGit("https://example.com/r.git#v1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	file := &resolve.Remote{URL: "https://example.com/f.tgz"}
	for _, test := range []struct {
		what *resolve.Remote
		old  bool
		want string
	}{
		{file, false, digest.FromString("https://example.com/f.tgz").String()},
		{git, false, digest.FromString("git://example.com/r.git#v1").Encoded()[:40]},
		{file, true, ""}, // it does not tell
		{git, true, ""},
	} {
		if got, err := newSources(test.old).Digest(t.Context(), test.what, "a step"); err != nil || got != test.want {
			t.Errorf("%s: %q (%v), want %q", test.what.URL, got, err, test.want)
		}
	}
	for url, checksum := range map[string]string{"https://unreachable.example.com/f": "", "https://example.com/f": "nonsense"} {
		if got, err := newSources(false).Digest(t.Context(), &resolve.Remote{URL: url, Checksum: checksum}, ""); err == nil {
			t.Errorf("%s has %q", url, got)
		}
	}
}
