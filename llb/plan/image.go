package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// historyComment marks history entries as BuildKit's Dockerfile frontends do;
// tools look for it.
const historyComment = "buildkit.dockerfile.v0"

// commit adds an instruction to the history. layer says whether it left files
// behind.
func (e *stageEval) commit(createdBy string, layer bool) {
	img := &e.out.Image
	img.History = append(img.History, ocispecs.History{
		CreatedBy:  createdBy,
		Comment:    historyComment,
		EmptyLayer: !layer,
		Created:    e.opt.Epoch,
	})
}

// commitOp is commit for the instructions whose history tells that BuildKit
// ran them.
func (e *stageEval) commitOp(createdBy string) { e.commit(createdBy+" # buildkit", true) }

// cloneImage returns a copy whose fields can be changed without changing img.
func cloneImage(img dockerspec.DockerOCIImage) dockerspec.DockerOCIImage {
	c := &img.Config
	c.Env = slices.Clone(c.Env)
	c.Cmd = slices.Clone(c.Cmd)
	c.Entrypoint = slices.Clone(c.Entrypoint)
	c.OnBuild = slices.Clone(c.OnBuild)
	c.Shell = slices.Clone(c.Shell)
	c.ExposedPorts = maps.Clone(c.ExposedPorts)
	c.Volumes = maps.Clone(c.Volumes)
	c.Labels = maps.Clone(c.Labels)
	if c.Healthcheck != nil {
		hc := *c.Healthcheck
		hc.Test = slices.Clone(hc.Test)
		c.Healthcheck = &hc
	}
	img.History = slices.Clone(img.History)
	return img
}

// shellForm returns the argv of a command in shell form.
func shellForm(img *dockerspec.DockerOCIImage, words []string) []string {
	sh := slices.Clone(img.Config.Shell)
	switch {
	case len(sh) > 0:
	case img.OS == "windows":
		sh = []string{"cmd", "/S", "/C"}
	default:
		sh = []string{"/bin/sh", "-c"}
	}
	return append(sh, strings.Join(words, " "))
}

// setTargetPlatform records the platform that the client asked for.
func setTargetPlatform(img *dockerspec.DockerOCIImage, p stage.Platforms) {
	if !p.Implicit {
		target := p.Target
		same := target.OS == img.OS && target.Architecture == img.Architecture
		img.OS, img.Architecture = target.OS, target.Architecture
		// An image of the same platform may know more about it.
		if target.Variant != "" || !same {
			img.Variant = target.Variant
		}
		if target.OSVersion != "" || !same {
			img.OSVersion = target.OSVersion
		}
		if target.OSFeatures != nil {
			img.OSFeatures = slices.Clone(target.OSFeatures)
		}
	}
	img.Platform = platforms.Normalize(img.Platform)
}
