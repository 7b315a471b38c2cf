package review

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// contentRules are about what the shipped image contains, and as whom it runs.
var contentRules = []Rule{
	{
		ID:       "BuildInFinal",
		Practice: "What is shipped is built in a stage of its own",
		Why:      "The image carries the compiler, the source and what lies around after compiling, none of which the program needs to run.",
		Mend:     "Compile in a stage of its own, and copy the result into the final one with COPY --from.",
		Applies:  (*Subject).product,
		Check:    buildsInFinal,
	},
	{
		ID:       "ToolchainInFinal",
		Practice: "The final stage stands on the smallest base",
		Why:      "The base image is made to compile: hundreds of megabytes of tools, each with its own security advisories, that nothing uses at run time.",
		Mend:     "Put the final stage on a slim, alpine or distroless image, or on scratch, and copy into it what the program needs.",
		Applies:  (*Subject).product,
		Check:    toolchainsInFinal,
	},
	{
		ID:       "CompilerInFinal",
		Practice: "The final stage has no compiler",
		Why:      "The packages are needed to compile, not to run; in the shipped image they are weight, and tools for an intruder.",
		Mend:     "Install them in a build stage and copy the result, or remove them in the same RUN.",
		Applies:  (*Subject).product,
		Check:    compilersInFinal,
	},
	{
		ID:       "PackageCacheInFinal",
		Practice: "The final stage has no cache of a package manager",
		Why:      "What the package manager keeps for its next run stays in the layer for ever: a later RUN that deletes it makes the image no smaller.",
		Mend:     "Delete it in the same RUN, tell the package manager to keep none, or mount a cache over it.",
		Applies:  (*Subject).product,
		Check:    packageCaches,
	},
	{
		ID:       "RootUser",
		Practice: "The final stage does not run as root",
		Why:      "Whoever breaks into the program is root in the container, and one mistake of configuration away from root on the host.",
		Mend:     "End the final stage with USER and the name or the number of an unprivileged user.",
		Applies:  func(s *Subject) bool { return s.product() && s.user() != "" },
		Check:    rootUsers,
	},
}

// compileSteps returns the shipped instructions that compile, and leave behind what
// they compiled with.
func (s *Subject) compileSteps() []*Step {
	var all []*Step
	for _, step := range s.shipped() {
		if step.compileCommand() != nil {
			all = append(all, step)
		}
	}
	return all
}

func (step *Step) compileCommand() *command {
	commands := step.Commands()
	if slices.ContainsFunc(commands, func(c command) bool { return c.removes() }) {
		return nil
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.compiles() })
	if i < 0 {
		return nil
	}
	return &commands[i]
}

func buildsInFinal(s *Subject) []Finding {
	steps := s.compileSteps()
	if len(steps) == 0 {
		return nil
	}
	c := steps[0].compileCommand()
	return []Finding{steps[0].at(fmt.Sprintf("the shipped image compiles here: %s", short(c.text()))).pointing(c.name + " " + c.verb())}
}

func toolchainsInFinal(s *Subject) []Finding {
	root := s.Target.Chain()[0]
	img, ok := parseImage(root.RootImage())
	if !ok || root.Replaced || s.usesToolchain() || len(s.compileSteps()) > 0 {
		return nil // of the last, BuildInFinal has more to say
	}
	switch {
	case img.toolchain():
		return []Finding{root.at(fmt.Sprintf("the shipped image stands on %s, which is made to compile", root.Ref))}
	case img.plainVariant():
		return []Finding{root.at(fmt.Sprintf("the shipped image stands on %s, which has compilers; the slim and alpine variants have none", root.Ref))}
	}
	return nil
}

// usesToolchain reports whether a volume of the image shows that its program
// works with the toolchain: where that keeps what it fetches.
func (s *Subject) usesToolchain() bool {
	return slices.ContainsFunc(s.Target.InChain(), func(step *Step) bool {
		c, ok := step.Command.(*instructions.VolumeCommand)
		return ok && slices.ContainsFunc(c.Volumes, func(v string) bool {
			return slices.Contains([]string{"/go", "/root/.m2", "/root/.gradle", "/usr/local/cargo"}, path.Clean(v))
		})
	})
}

func compilersInFinal(s *Subject) []Finding {
	if len(s.compileSteps()) > 0 {
		return nil // BuildInFinal has more to say
	}
	var found []Finding
	for _, step := range s.shipped() {
		var names []string
		removed := false
		for _, c := range step.Commands() {
			removed = removed || c.removes()
			packages, _ := c.packages()
			for _, p := range packages {
				if name, _, _ := strings.Cut(p, "="); compilers[name] && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		if len(names) > 0 && !removed {
			found = append(found, step.at("the shipped image has "+list(names)).pointing(names[0]))
		}
	}
	return found
}

// stepsDown reports whether an instruction installs or starts a program with
// which an image that starts as root becomes somebody else.
func stepsDown(text string) bool {
	return slices.ContainsFunc([]string{"gosu", "su-exec", "setpriv", "s6-", "chpst", "runuser", "supervisor", "setuidgid"}, func(name string) bool {
		return strings.Contains(text, name)
	})
}

// user returns the user of the target's image: empty where nothing tells.
func (s *Subject) user() string {
	for _, step := range s.Target.InChain() {
		if stepsDown(step.Text()) {
			return ""
		}
	}
	for _, step := range slices.Backward(s.Target.InChain()) {
		if c, ok := step.Command.(*instructions.UserCommand); ok {
			user, _, _ := strings.Cut(c.User, ":")
			if strings.Contains(user, "$") {
				return ""
			}
			return user
		}
	}
	root := s.Target.Chain()[0]
	if root.Ref == "scratch" && !root.Replaced {
		return "root"
	}
	if root.Planned == nil || root.Planned.Base == nil || root.Planned.Base.Context != nil {
		return ""
	}
	if s.found(root.ID) {
		if user := root.Planned.Original; user != nil && user.Config.User != "" {
			name, _, _ := strings.Cut(user.Config.User, ":")
			return name
		}
		return "root"
	}
	if img, ok := parseImage(root.Ref); ok && img.official() && !ownUser[img.name] {
		return "root"
	}
	return ""
}

// ownUser are official images that do not run as root, or that step down from
// root by themselves.
var ownUser = set(`cassandra couchbase couchdb elasticsearch ghost haproxy influxdb jetty kibana logstash mariadb memcached mongo mysql neo4j
	percona postgres rabbitmq redis solr sonarqube varnish vault zookeeper kong nats gradle irssi znc rocket.chat xwiki
	clickhouse rethinkdb arangodb crate eclipse-mosquitto drupal docker registry`)

func rootUsers(s *Subject) []Finding {
	user := s.user()
	if user != "root" && user != "0" {
		return nil
	}
	for _, step := range slices.Backward(s.Target.InChain()) {
		if _, ok := step.Command.(*instructions.UserCommand); ok && !step.OnBuild {
			return []Finding{step.at("the shipped image runs as root")}
		}
	}
	return []Finding{s.Target.at("the shipped image runs as root: no USER says otherwise")}
}
