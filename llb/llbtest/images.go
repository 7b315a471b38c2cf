package llbtest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/distribution/reference"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// imageConfig invents the image of a reference: the same one each time. A name
// that contains one of the words in imageTraits has that trait; other images
// have some traits by the hash of their reference, so that a folder of real
// Dockerfiles meets them all.
func imageConfig(ref string, p ocispecs.Platform) (string, digest.Digest, []byte, error) {
	name := ref
	if named, err := reference.ParseNormalizedNamed(ref); err == nil {
		name = named.String()
	}
	if strings.Contains(name, "missing") {
		return "", "", nil, fmt.Errorf("%s: not found", name)
	}
	img := plainImage(name, p)
	for i, t := range imageTraits {
		if strings.Contains(name, t.word) || t.share > 0 && hash(fmt.Sprint(i, name))%100 < t.share {
			t.apply(img)
		}
	}
	dt, err := json.Marshal(img)
	if err != nil {
		return "", "", nil, err
	}
	if strings.Contains(name, "broken") {
		dt = dt[:len(dt)/2]
	}
	dgst := digest.FromString(name)
	switch {
	case strings.Contains(name, "nodigest"):
		dgst = ""
	case strings.Contains(name, "mutated"): // a source policy does so
		ref = strings.Replace(ref, "mutated", "policy", 1)
	}
	return ref, dgst, dt, nil
}

func hash(s string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return int(h.Sum32() >> 1)
}

func plainImage(name string, p ocispecs.Platform) *dockerspec.DockerOCIImage {
	created := time.Unix(1600000000, 0).UTC()
	img := &dockerspec.DockerOCIImage{}
	img.Platform = p
	img.Created = &created
	img.Author = "author of " + name
	img.RootFS.Type = "layers"
	img.RootFS.DiffIDs = []digest.Digest{digest.FromString("layer of " + name)}
	img.Config.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	img.Config.Cmd = []string{"/bin/sh"}
	img.History = []ocispecs.History{{Created: &created, CreatedBy: "/bin/sh -c #(nop) ADD file:1 in /"}}
	return img
}

// imageTraits are what makes images differ. share is how many of a hundred
// references have the trait without its word in their name.
var imageTraits = []struct {
	word  string
	share int
	apply func(*dockerspec.DockerOCIImage)
}{
	{"nopath", 10, func(i *dockerspec.DockerOCIImage) { i.Config.Env = nil }},
	{"withenv", 15, func(i *dockerspec.DockerOCIImage) {
		i.Config.Env = append(i.Config.Env, "LANG=C.UTF-8", "EMPTY=", "JAVA_HOME=/opt/java", "TARGETARCH=fromimage", "VERSION=9.9", "NOVALUE")
	}},
	{"withdir", 15, func(i *dockerspec.DockerOCIImage) { i.Config.WorkingDir = "/srv/app" }},
	{"reldir", 2, func(i *dockerspec.DockerOCIImage) { i.Config.WorkingDir = "srv/../app/" }},
	{"withuser", 10, func(i *dockerspec.DockerOCIImage) { i.Config.User = "1000:1000" }},
	{"named", 3, func(i *dockerspec.DockerOCIImage) { i.Config.User = "daemon" }},
	{"labelled", 10, func(i *dockerspec.DockerOCIImage) {
		i.Config.Labels = map[string]string{"org.opencontainers.image.vendor": "somebody", "empty": ""}
	}},
	{"entry", 10, func(i *dockerspec.DockerOCIImage) {
		i.Config.Entrypoint = []string{"/entrypoint.sh"}
		i.Config.Cmd = []string{"serve", "--all"}
	}},
	{"ports", 5, func(i *dockerspec.DockerOCIImage) {
		i.Config.ExposedPorts = map[string]struct{}{"80/tcp": {}, "53/udp": {}}
		i.Config.Volumes = map[string]struct{}{"/data": {}}
		i.Config.StopSignal = "SIGINT"
	}},
	{"bash", 4, func(i *dockerspec.DockerOCIImage) { i.Config.Shell = []string{"/bin/bash", "-o", "pipefail", "-c"} }},
	{"healthy", 4, func(i *dockerspec.DockerOCIImage) {
		i.Config.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "true"}, Interval: time.Second, Retries: 3}
	}},
	{"foreign", 3, func(i *dockerspec.DockerOCIImage) { i.Platform = ocispecs.Platform{OS: "linux", Architecture: "s390x"} }},
	{"variant", 3, func(i *dockerspec.DockerOCIImage) { i.Variant = "v8" }},
	{"noplatform", 1, func(i *dockerspec.DockerOCIImage) { i.Platform = ocispecs.Platform{} }},
	{"nolayers", 3, func(i *dockerspec.DockerOCIImage) {
		i.RootFS.DiffIDs = nil
		i.History = nil
	}},
	{"schema1", 2, func(i *dockerspec.DockerOCIImage) { i.RootFS.DiffIDs = nil }},
	{"windows", 0, func(i *dockerspec.DockerOCIImage) { *i = windowsImage(i) }},
	{"nanoserver", 0, func(i *dockerspec.DockerOCIImage) { *i = windowsImage(i) }},
	{"onbuild", 3, func(i *dockerspec.DockerOCIImage) {
		i.Config.OnBuild = []string{"ARG NODE_ENV=production", "ENV NODE_ENV $NODE_ENV", "WORKDIR app", "COPY package.json .", "RUN npm install && npm cache clean", `LABEL a="b c"`}
	}},
	{"obcopy", 1, func(i *dockerspec.DockerOCIImage) {
		i.Config.OnBuild = []string{"COPY --from=busybox:obsource /bin/sh /sh", "RUN --mount=type=bind,from=alpine:obmount,target=/m ls /m"}
	}},
	{"obenv", 1, func(i *dockerspec.DockerOCIImage) {
		i.Config.OnBuild = []string{"ENV FOO bar", "WORKDIR rel", "RUN echo $NOPE", "ENTRYPOINT x", "COPY <<E /e\n$FOO\nE"}
	}},
	{"obcheck", 0, func(i *dockerspec.DockerOCIImage) { i.Config.OnBuild = []string{"# a\n# check=skip=all\nADD a /b"} }},
	{"obstage", 0, func(i *dockerspec.DockerOCIImage) { i.Config.OnBuild = []string{"COPY --from=build /a /b"} }},
	{"obself", 0, func(i *dockerspec.DockerOCIImage) { i.Config.OnBuild = []string{"COPY --from=0 /a /b"} }},
	{"obbad", 0, func(i *dockerspec.DockerOCIImage) { i.Config.OnBuild = []string{"RUN --mount=type=nonsense true"} }},
	{"obtwo", 0, func(i *dockerspec.DockerOCIImage) { i.Config.OnBuild = []string{"RUN a\nRUN b"} }},
	{"obonbuild", 0, func(i *dockerspec.DockerOCIImage) {
		i.Config.OnBuild = []string{"ONBUILD RUN a", "ONBUILD ONBUILD RUN b"}
	}},
	{"setsab", 0, func(i *dockerspec.DockerOCIImage) { i.Config.Env = append(i.Config.Env, "A=3", "B=1") }},
	{"obsetsab", 0, func(i *dockerspec.DockerOCIImage) { i.Config.OnBuild = []string{"ARG A=2", "ENV B=$A"} }},
}

func windowsImage(i *dockerspec.DockerOCIImage) dockerspec.DockerOCIImage {
	w := *i
	w.Platform = ocispecs.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1", OSFeatures: []string{"win32k"}}
	w.Config.Env = nil
	w.Config.WorkingDir = `C:\app`
	w.Config.User = "ContainerUser"
	w.Config.Cmd = []string{`c:\windows\system32\cmd.exe`}
	return w
}
