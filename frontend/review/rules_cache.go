package review

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// cacheRules are about cache mounts that do nothing.
var cacheRules = []Rule{
	{
		ID:       "UnusedCacheMount",
		Practice: "A cache mount is used",
		Why:      "The step keeps nothing in the mounted cache, or finds it empty each time: everything is fetched again in every build.",
		Mend:     "Take out what switches the cache off, or take out the mount.",
		Applies: func(s *Subject) bool {
			return slices.ContainsFunc(s.steps(), func(step *Step) bool { return len(step.cacheMounts()) > 0 })
		},
		Check: unusedCacheMounts,
	},
}

// cacheMounts returns the cache mounts of a RUN.
func (step *Step) cacheMounts() []*instructions.Mount {
	c, ok := step.Command.(*instructions.RunCommand)
	if !ok {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(instructions.GetMounts(c)), func(m *instructions.Mount) bool { return m.Type != instructions.MountTypeCache })
}

func unusedCacheMounts(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.steps() {
		for _, m := range step.cacheMounts() {
			if why := step.unused(path.Clean(m.Target)); why != "" {
				found = append(found, step.at(fmt.Sprintf("the cache at %s is never used: %s", m.Target, why)).pointing(m.Target))
			}
		}
	}
	return found
}

// unused says why a RUN keeps nothing in a cache, empty where it may.
func (step *Step) unused(target string) string {
	if step.Stage.NoCache {
		return "FROM --no-cache starts it empty each time"
	}
	for _, c := range step.Commands() {
		if why := step.disabled(&c, target); why != "" {
			return why
		}
	}
	return ""
}

func (step *Step) disabled(c *command, target string) string {
	switch {
	case (c.name == "pip" || c.name == "pip3") && c.has("install") && strings.HasSuffix(target, "/.cache/pip"):
		if c.has("--no-cache-dir") {
			return "pip install has --no-cache-dir"
		}
		if step.knows("PIP_NO_CACHE_DIR") {
			return "PIP_NO_CACHE_DIR is set"
		}
	case c.name == "apk" && c.has("--no-cache") && (target == "/var/cache/apk" || target == "/etc/apk/cache"):
		return "apk has --no-cache"
	case isApt(c) && c.hasVerb("install") && (target == "/var/cache/apt" || target == "/var/cache/apt/archives") && step.dockerClean():
		return "the image's /etc/apt/apt.conf.d/docker-clean deletes every package after it is installed"
	case isApt(c) && c.hasVerb("clean") && strings.HasPrefix(target, "/var/cache/apt"):
		return "the same step empties it"
	case c.name == "rm" && slices.ContainsFunc(c.args, func(a string) bool { return strings.TrimSuffix(strings.TrimSuffix(a, "*"), "/") == target }):
		return "the same step empties it"
	}
	return ""
}

func isApt(c *command) bool { return c.name == "apt-get" || c.name == "apt" }

// debians are official images on Debian or Ubuntu, in all of their tags but
// those of Alpine and Windows.
var debians = set(`debian ubuntu buildpack-deps node python golang ruby php perl rust gcc openjdk eclipse-temurin`)

// dockerClean reports whether the configuration that Debian's and Ubuntu's
// images bring for apt is still in force.
func (step *Step) dockerClean() bool {
	img, ok := parseImage(step.Stage.RootImage())
	if !ok || !img.official() || !debians[img.name] || strings.Contains(img.tag, "alpine") || strings.Contains(img.tag, "windows") {
		return false
	}
	for _, other := range step.Stage.InChain() {
		text := other.Text()
		if c, ok := other.Command.(*instructions.RunCommand); ok {
			for _, f := range c.Files {
				text += f.Data
			}
		}
		if strings.Contains(text, "docker-clean") || strings.Contains(text, "Keep-Downloaded") || strings.Contains(text, "apt.conf") {
			return false
		}
		if other == step {
			break
		}
	}
	return true
}
