package review

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// packageCache is what a package manager leaves behind.
type packageCache struct {
	what    string
	command func(*command) bool
	// folders are where it lies, one of which must be emptied or mounted over;
	// clean is a command that empties it.
	folders []string
	clean   func(*command) bool
	// old and new mend the lines of the command; last is what the instruction
	// ends with otherwise.
	old       *regexp.Regexp
	new, last string
}

var cacheKinds = []packageCache{
	{
		what:    "the package lists of apt stay",
		command: func(c *command) bool { return (c.name == "apt-get" || c.name == "apt") && c.hasVerb("update") },
		folders: []string{"/var/lib/apt/lists", "/var/lib/apt", "/var/lib"},
		last:    "rm -rf /var/lib/apt/lists/*",
	},
	{
		what: "the package index of apk stays",
		command: func(c *command) bool {
			return c.name == "apk" && (c.hasVerb("add") || c.hasVerb("update")) && !c.has("--no-cache")
		},
		folders: []string{"/var/cache/apk", "/etc/apk/cache", "/var/cache"},
		old:     regexp.MustCompile(`\bapk add `), new: "apk add --no-cache ",
	},
	{
		what: "the cache of dnf or yum stays",
		command: func(c *command) bool {
			return slices.Contains([]string{"yum", "dnf", "microdnf", "tdnf"}, c.name) && c.hasVerb("install", "update", "upgrade", "groupinstall")
		},
		folders: []string{"/var/cache/yum", "/var/cache/dnf", "/var/cache/tdnf", "/var/cache"},
		clean:   func(c *command) bool { return c.hasVerb("clean") },
	},
	{
		what: "the downloads of pip stay",
		command: func(c *command) bool {
			module := slices.Index(c.args, "pip")
			isPip := c.name == "pip" || c.name == "pip3" || strings.HasPrefix(c.name, "python") && module > 0 && c.args[module-1] == "-m"
			return isPip && c.hasVerb("install") && !c.has("--no-cache-dir", "--no-cache")
		},
		folders: []string{"/root/.cache/pip", "/root/.cache", "~/.cache", "~/.cache/pip", "/root"},
		clean:   func(c *command) bool { return c.hasVerb("purge") },
		old:     regexp.MustCompile(`\b(pip3?) install `), new: "$1 install --no-cache-dir ",
	},
	{
		what: "the cache of npm stays",
		command: func(c *command) bool {
			elsewhere := slices.ContainsFunc(c.args, func(a string) bool { return strings.HasPrefix(a, "--cache") })
			return c.name == "npm" && slices.Contains([]string{"ci", "install", "i"}, c.verb()) && !elsewhere
		},
		folders: []string{"/root/.npm", "~/.npm", "/root", "/root/.cache"},
		clean:   func(c *command) bool { return c.name == "npm" && c.verb() == "cache" },
		last:    "npm cache clean --force",
	},
}

func packageCaches(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.shipped() {
		for i := range cacheKinds {
			cache := &cacheKinds[i]
			at := slices.IndexFunc(step.Commands(), func(c command) bool { return cache.command(&c) })
			if at < 0 || step.empties(cache) {
				continue
			}
			c := &step.Commands()[at]
			f := step.at(cache.what + " in the shipped image").pointing(c.name + " " + c.verb())
			found = append(found, step.withoutCache(f, cache))
		}
	}
	return found
}

// empties reports whether an instruction leaves nothing of a cache.
func (step *Step) empties(cache *packageCache) bool {
	for _, folder := range cache.folders {
		if step.mounts(folder) {
			return true
		}
	}
	for _, c := range step.Commands() {
		if cache.clean != nil && cache.clean(&c) || strings.Contains(c.name, "clean") {
			return true
		}
		if (c.name == "rm" || c.name == "find") && slices.ContainsFunc(c.args, func(a string) bool {
			dir := strings.TrimSuffix(strings.TrimSuffix(strings.Trim(a, `"'`), "*"), "/")
			dir = strings.ReplaceAll(dir, "$HOME", "~")
			return slices.ContainsFunc(cache.folders, func(f string) bool { return dir == f || strings.HasPrefix(f, dir+"/") || strings.HasPrefix(dir, f+"/") })
		}) {
			return true
		}
	}
	return strings.HasPrefix(cache.what, "the downloads of pip") && (step.knows("PIP_NO_CACHE_DIR") || step.Script().sets["PIP_NO_CACHE_DIR"])
}

// mounts reports whether a RUN mounts something over a folder.
func (step *Step) mounts(folder string) bool {
	c, ok := step.Command.(*instructions.RunCommand)
	return ok && slices.ContainsFunc(instructions.GetMounts(c), func(m *instructions.Mount) bool { return path.Clean(m.Target) == folder })
}

// withoutCache mends a RUN that is one chain of commands.
func (step *Step) withoutCache(f Finding, cache *packageCache) Finding {
	if cache.old != nil {
		return f.mendedAll(step.Stage.Subject, cache.old, cache.new)
	}
	text, run := step.source(), step.Command.(*instructions.RunCommand)
	end := len(text) - 1
	if cache.last == "" || step.Script().top != 1 || len(run.Files) > 0 || !run.PrependShell || end < 0 || !step.installs() {
		return f
	}
	last := strings.TrimRight(text[end], " \t\r")
	if strings.ContainsAny(last, "#;|`") || strings.HasSuffix(last, `\`) {
		return f
	}
	_, at := span(step.Loc.Ranges)
	indent := "    "
	if end > 0 {
		indent = last[:len(last)-len(strings.TrimLeft(last, " \t"))]
	}
	f.edits = append(f.edits, edit{step.Loc.File, at, at, []string{last + ` \`, indent + "&& " + cache.last}})
	return f
}

// installs reports whether an instruction uses what a package manager fetched.
func (step *Step) installs() bool {
	return slices.ContainsFunc(step.Commands(), func(c command) bool {
		_, ok := c.packages()
		return ok || c.name == "npm"
	})
}
