package images

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

// expectation says what a Dockerfile may rely on in an image, real or stand-in.
type expectation struct {
	ref    string
	config string // a regular expression for the config's JSON
	env    []string
	files  []string
	run    string // a script that must succeed, with the machine's network; may be empty
	want   string // and print this, as a regular expression
}

// expectations are those of all images; each family's stand next to what makes it.
var expectations = slices.Concat(debianExpectations, busyboxExpectations, alpineExpectations, golangExpectations, nodeExpectations,
	javaExpectations, pythonExpectations, rustExpectations, nginxExpectations, hellofsExpectations)

//go:embed expectations_test.go
var expectationsSource string

func TestImagesDoWhatDockerfilesRelyOn(t *testing.T) {
	for _, want := range expectations {
		t.Run(fileName(want.ref), func(t *testing.T) {
			set, err := Ensure(t.Context(), want.ref)
			if err != nil {
				t.Fatal(err)
			}
			image := imageFor(t, set, want.ref)
			config, err := image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(config.Config)
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(want.config).Match(raw) {
				t.Errorf("config %s lacks %s", raw, want.config)
			}
			for _, env := range want.env {
				if !slices.Contains(config.Config.Env, env) {
					t.Errorf("environment %q lacks %s", config.Config.Env, env)
				}
			}
			if want.run == "" {
				there := filesOf(t, image)
				for _, file := range want.files {
					if !there[file] {
						t.Errorf("%s lacks %s", want.ref, file)
					}
				}
				return
			}
			// The same files do the same: what an image was once seen to do is not looked at again.
			seen := verdict(t, want.ref, mustDigest(t, indexOf(t, set, want.ref)), expectationsSource, fmt.Sprintf("%+v", want))
			if seen.before() {
				return
			}
			root := rootOf(t, image)
			for _, file := range want.files {
				if _, err := os.Lstat(filepath.Join(root, file)); err != nil {
					t.Error(err)
				}
			}
			var out bytes.Buffer
			begun := time.Now()
			err = chroot{root: root, script: want.run, env: config.Config.Env, stdout: &out}.run(t.Context())
			if err != nil {
				t.Fatalf("%v\noutput:\n%s", err, &out)
			}
			if !regexp.MustCompile(want.want).Match(out.Bytes()) {
				t.Errorf("the script printed\n%s\nwhich does not match %s", &out, want.want)
			}
			if !t.Failed() {
				seen.keep()
			}
			t.Logf("%s: %s, script %.1f s", want.ref, set.Origin(), time.Since(begun).Seconds())
		})
	}
}
